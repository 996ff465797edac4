using System.Reflection.Emit;
using LinearCald.Gpu.Frontend.Il;

namespace LinearCald.Gpu.Tests.Il;

public class LivenessTests
{
    [Fact]
    public void LoopCarriesOnlyWhatIsReadLater()
    {
        MethodBuilderResult m = Emit();
        IlMethod method = IlMethod.Of(m.Method);
        IlBlock header = Assert.Single(method.Blocks, b => b.IsLoopHeader);
        Assert.False(header.LiveLocalsIn[m.Dead]);
        Assert.True(header.LiveLocalsIn[m.Counter]);
        Assert.True(header.LiveLocalsIn[m.ReadAfter]);
        Assert.False(header.LiveLocalsIn[m.WrittenFirst]);
        Assert.True(header.LiveLocalsIn[m.Taken]);
        Assert.True(method.Blocks[0].LiveLocalsIn[m.Taken]);
        Assert.False(method.Blocks[0].LiveLocalsIn[m.Counter]);
    }

    [Fact]
    public void AddressTakenLocalsAreLiveEverywhereInCompiledCodeToo()
    {
        IlMethod method = Samples.Read(nameof(Samples.Address));
        int taken = method.Blocks.SelectMany(b => b.Instructions).Where(i => i.OpCode == OpCodes.Ldloca).Select(i => (int)i.Operand!).First();
        Assert.All(method.Blocks, b => Assert.True(b.LiveLocalsIn[taken]));
    }

    [Fact]
    public void OptimisedLocalsDieAfterTheirLastUse()
    {
        IlMethod method = Samples.Read(nameof(Samples.Lives));
        IlBlock header = method.Blocks.Single(b => b.IsLoopHeader);
        IlBlock[] ends = [.. method.Blocks.Where(b => b.Instructions[^1].OpCode == OpCodes.Ret)];
        Assert.Contains(true, header.LiveLocalsIn);
        Assert.All(ends, b => Assert.True(b.LiveLocalsIn.Count(l => l) < header.LiveLocalsIn.Count(l => l)));
    }

    private sealed record MethodBuilderResult(System.Reflection.MethodInfo Method, int Dead, int Counter, int ReadAfter, int WrittenFirst, int Taken);

    /// <summary>A loop over five locals, emitted so that no compiler setting changes which slot is which.</summary>
    private static MethodBuilderResult Emit()
    {
        AssemblyBuilder assembly = AssemblyBuilder.DefineDynamicAssembly(new System.Reflection.AssemblyName("Live"), AssemblyBuilderAccess.Run);
        TypeBuilder type = assembly.DefineDynamicModule("Live").DefineType("T");
        ILGenerator il = type.DefineMethod("M", System.Reflection.MethodAttributes.Static | System.Reflection.MethodAttributes.Public, typeof(int), []).GetILGenerator();
        int dead = il.DeclareLocal(typeof(int)).LocalIndex;
        int counter = il.DeclareLocal(typeof(int)).LocalIndex;
        int readAfter = il.DeclareLocal(typeof(int)).LocalIndex;
        int writtenFirst = il.DeclareLocal(typeof(int)).LocalIndex;
        int taken = il.DeclareLocal(typeof(int)).LocalIndex;
        Label head = il.DefineLabel();
        Label fail = il.DefineLabel();
        foreach (int local in new[] { dead, counter, readAfter, taken })
        {
            il.Emit(OpCodes.Ldc_I4_3);
            il.Emit(OpCodes.Stloc, local);
        }

        il.Emit(OpCodes.Ldloca, taken);
        il.Emit(OpCodes.Pop);
        il.MarkLabel(head);
        il.Emit(OpCodes.Ldloc, counter);
        il.Emit(OpCodes.Brfalse, fail);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Stloc, writtenFirst);
        il.Emit(OpCodes.Ldloc, counter);
        il.Emit(OpCodes.Ldloc, writtenFirst);
        il.Emit(OpCodes.Sub);
        il.Emit(OpCodes.Dup);
        il.Emit(OpCodes.Stloc, counter);
        il.Emit(OpCodes.Brtrue, head);
        il.Emit(OpCodes.Ldloc, readAfter);
        il.Emit(OpCodes.Ret);

        // What only a throwing block reads is not live.
        il.MarkLabel(fail);
        il.Emit(OpCodes.Ldloc, dead);
        il.Emit(OpCodes.Pop);
        il.Emit(OpCodes.Ldnull);
        il.Emit(OpCodes.Throw);
        return new MethodBuilderResult(type.CreateType().GetMethod("M")!, dead, counter, readAfter, writtenFirst, taken);
    }
}
