using System.Reflection;
using System.Reflection.Emit;
using LinearCald.Gpu.Frontend.Il;

namespace LinearCald.Gpu.Tests.Il;

public class ThrowPathTests
{
    [Fact]
    public void GuardsHaveThreeThrowBlocks()
    {
        IlMethod method = Samples.Read(nameof(Samples.Guard));
        Assert.Equal(3, method.Blocks.Count(b => b.OnlyThrows));
        Assert.False(method.Blocks[0].OnlyThrows);
        Assert.All(method.Blocks.Where(b => b.OnlyThrows), b => Assert.Contains(b.Instructions, i => i.OpCode == OpCodes.Newobj || i.Operand is MethodBase));
    }

    [Theory]
    [InlineData(nameof(Samples.Fail), true)]
    [InlineData(nameof(Samples.Marked), true)]
    [InlineData(nameof(Samples.Guard), false)]
    [InlineData(nameof(Samples.Forever), false)]
    [InlineData(nameof(Samples.While), false)]
    public void MethodsThatNeverReturn(string name, bool expected) => Assert.Equal(expected, ThrowPaths.NeverReturns(Samples.Method(name)));

    [Fact]
    public void ThrowHelperThrowsFromItsFirstBlock() => Assert.All(Samples.Read(nameof(Samples.Fail)).Blocks, b => Assert.True(b.OnlyThrows));

    [Fact]
    public void LoopThatMayGoOnForEverDoesNotOnlyThrow() => Assert.False(Samples.Read(nameof(Samples.Forever)).Blocks[0].OnlyThrows);
}
