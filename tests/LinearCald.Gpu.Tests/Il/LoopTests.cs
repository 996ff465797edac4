using LinearCald.Gpu.Frontend.Il;

namespace LinearCald.Gpu.Tests.Il;

public class LoopTests
{
    [Theory]
    [InlineData(nameof(Samples.While))]
    [InlineData(nameof(Samples.Do))]
    [InlineData(nameof(Samples.GotoLoop))]
    [InlineData(nameof(Samples.Forever))]
    public void OneLoop(string name)
    {
        IlLoop loop = Assert.Single(Loops(Samples.Read(name)));
        Assert.Null(loop.Parent);
        Assert.Contains(loop.Header, loop.Blocks);
        Assert.Contains(loop.Blocks, b => b.Successors.Contains(loop.Header));
    }

    [Theory]
    [InlineData(nameof(Samples.Nested))]
    [InlineData(nameof(Samples.GotoOutOfTwo))]
    public void InnerLoopLiesInTheOuter(string name)
    {
        IlMethod method = Samples.Read(name);
        IlLoop[] loops = Loops(method);
        Assert.Equal(2, loops.Length);
        IlLoop inner = Assert.Single(loops, l => l.Parent is not null);
        IlLoop outer = Assert.Single(loops, l => l.Parent is null);
        Assert.Same(outer, inner.Parent);
        Assert.True(inner.Blocks.IsProperSubsetOf(outer.Blocks));
        Assert.All(inner.Blocks, b => Assert.Same(inner, b.Loop));
        Assert.All(outer.Blocks.Except(inner.Blocks), b => Assert.Same(outer, b.Loop));
        Assert.All(method.Blocks.Except(outer.Blocks), b => Assert.Null(b.Loop));
    }

    [Fact]
    public void GotoOutOfTwoLoopsLeavesBoth()
    {
        IlMethod method = Samples.Read(nameof(Samples.GotoOutOfTwo));
        IlLoop inner = Loops(method).Single(l => l.Parent is not null);
        Assert.Contains(inner.Blocks, b => b.Successors.Any(s => s.Loop is null));
    }

    [Theory]
    [InlineData(nameof(Samples.While))]
    [InlineData(nameof(Samples.Do))]
    [InlineData(nameof(Samples.Nested))]
    [InlineData(nameof(Samples.GotoOutOfTwo))]
    [InlineData(nameof(Samples.Choose))]
    [InlineData(nameof(Samples.Guard))]
    public void OnlyBackEdgesGoBackwardsAndLoopsStandTogether(string name)
    {
        IlMethod method = Samples.Read(name);
        Assert.Equal(0, method.Blocks[0].Offset);
        for (int i = 0; i < method.Blocks.Count; i++)
        {
            IlBlock block = method.Blocks[i];
            Assert.Equal(i, block.Index);
            foreach (IlBlock next in block.Successors)
            {
                Assert.Contains(block, next.Predecessors);
                Assert.True(next.Index > i || (next.IsLoopHeader && next.Loop!.Blocks.Contains(block)), $"{block} → {next}");
            }
        }

        foreach (IlLoop loop in Loops(method))
        {
            Assert.Equal(loop.Header.Index, loop.Blocks.Min(b => b.Index));
            Assert.Equal(loop.Blocks.Count, loop.Blocks.Max(b => b.Index) - loop.Header.Index + 1);
        }
    }

    [Fact]
    public void LoopWithTwoStartsIsRefusedWithItsLine()
    {
        CaldException e = Assert.Throws<CaldException>(() => Samples.Read(nameof(Samples.TwoStarts)));
        Assert.Contains("Samples.TwoStarts (Samples.cs:", e.Message);
        Assert.Contains("two starts", e.Message);
    }

    [Fact]
    public void SwitchListsItsCasesThenTheFallThrough()
    {
        IlMethod method = Samples.Read(nameof(Samples.Choose));
        IlBlock block = Assert.Single(method.Blocks, b => b.Instructions[^1].OpCode == System.Reflection.Emit.OpCodes.Switch);
        IlBlock[] cases = Assert.IsType<IlBlock[]>(block.Instructions[^1].Operand);
        Assert.Equal(4, cases.Length);
        Assert.Equal(cases, block.Successors.Take(4));
        Assert.Equal(5, block.Successors.Count);
        int[] firstConstants = [.. cases.Select(c => (int)c.Instructions.First(i => i.OpCode == System.Reflection.Emit.OpCodes.Ldc_I4).Operand!)];
        Assert.Equal([5, 7, 6, 1], firstConstants);
    }

    [Fact]
    public void BranchNamesItsTargetFirst()
    {
        foreach (IlBlock block in Samples.Read(nameof(Samples.Nested)).Blocks)
        {
            if (block.Instructions[^1].Operand is IlBlock target)
            {
                Assert.Same(target, block.Successors[0]);
            }
        }
    }

    private static IlLoop[] Loops(IlMethod method) => [.. method.Blocks.Where(b => b.IsLoopHeader).Select(b => b.Loop!)];
}
