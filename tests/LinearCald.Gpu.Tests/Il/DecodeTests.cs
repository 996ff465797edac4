using System.Reflection;
using System.Reflection.Emit;
using LinearCald.Gpu.Frontend.Il;

namespace LinearCald.Gpu.Tests.Il;

public class DecodeTests
{
    [Fact]
    public void ShortFormsAndPrefixesAreGone()
    {
        foreach (string name in new[] { nameof(Samples.Nested), nameof(Samples.Choose), nameof(Samples.Guard), nameof(Samples.Constants) })
        {
            foreach (IlInstruction instruction in All(Samples.Read(name)))
            {
                Assert.NotEqual(OpCodeType.Prefix, instruction.OpCode.OpCodeType);
                Assert.DoesNotContain(".s", instruction.OpCode.Name);
                Assert.False(char.IsAsciiDigit(instruction.OpCode.Name![^1]) && instruction.OpCode.OperandType == OperandType.InlineNone
                    && instruction.OpCode.Name.StartsWith("ld", StringComparison.Ordinal), instruction.ToString());
            }
        }
    }

    [Fact]
    public void ConstantsComeWithTheirType()
    {
        // Emitted rather than compiled, because the C# compiler would fold them into one.
        AssemblyBuilder assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("Emitted"), AssemblyBuilderAccess.Run);
        TypeBuilder type = assembly.DefineDynamicModule("Emitted").DefineType("T");
        ILGenerator il = type.DefineMethod("M", MethodAttributes.Static | MethodAttributes.Public, typeof(void), [typeof(int)]).GetILGenerator();
        il.Emit(OpCodes.Ldc_I4_M1);
        il.Emit(OpCodes.Ldc_I4_8);
        il.Emit(OpCodes.Ldc_I4_S, (sbyte)-5);
        il.Emit(OpCodes.Ldc_I4, 1000);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_S, (byte)0);
        il.Emit(OpCodes.Ldc_I8, 1L << 40);
        il.Emit(OpCodes.Ldc_R4, 2.5f);
        il.Emit(OpCodes.Ldc_R8, 1e300);
        il.Emit(OpCodes.Ldstr, "text");
        il.Emit(OpCodes.Ret);
        MethodInfo method = type.CreateType().GetMethod("M")!;
        (OpCode, object?)[] read = [.. All(IlMethod.Of(method)).Select(i => (i.OpCode, i.Operand))];
        Assert.Equal(
            [
                (OpCodes.Ldc_I4, -1), (OpCodes.Ldc_I4, 8), (OpCodes.Ldc_I4, -5), (OpCodes.Ldc_I4, 1000), (OpCodes.Ldarg, 0), (OpCodes.Ldarg, 0),
                (OpCodes.Ldc_I8, 1L << 40), (OpCodes.Ldc_R4, 2.5f), (OpCodes.Ldc_R8, 1e300), (OpCodes.Ldstr, "text"), (OpCodes.Ret, null),
            ],
            read);
    }

    [Fact]
    public void ClosedGenericsComeOutSubstituted()
    {
        MethodInfo method = typeof(Pair<int, double>).GetMethod(nameof(Pair<int, double>.Map))!.MakeGenericMethod(typeof(long));
        IlMethod il = IlMethod.Of(method);
        Assert.Equal([typeof(Pair<int, double>).MakeByRefType(), typeof(long)], il.Arguments);
        Assert.Contains(typeof(Pair<double, long>), il.Locals);
        FieldInfo[] fields = [.. All(il).Select(i => i.Operand).OfType<FieldInfo>()];
        Assert.Contains(fields, f => f.DeclaringType == typeof(Pair<int, double>) && f.FieldType == typeof(double));
        Assert.Contains(fields, f => f.DeclaringType == typeof(Pair<double, long>) && f.FieldType == typeof(long));
        Assert.Contains(All(il), i => i.OpCode == OpCodes.Newarr && (Type?)i.Operand == typeof(long));
    }

    [Fact]
    public void ConstrainedPrefixIsFoldedIn()
    {
        IlInstruction call = Assert.Single(All(IlMethod.Of(Samples.Method(nameof(Samples.Constrained)).MakeGenericMethod(typeof(int)))), i => i.Operand is MethodBase);
        Assert.Equal(typeof(int), call.Constrained);
        Assert.Equal(typeof(IComparable<int>), ((MethodBase)call.Operand!).DeclaringType);
    }

    [Fact]
    public void OneMethodIsReadOnce()
    {
        IlMethod[] read = new IlMethod[16];
        Parallel.For(0, read.Length, i => read[i] = Samples.Read(nameof(Samples.Lives)));
        Assert.All(read, m => Assert.Same(IlMethod.Of(Samples.Method(nameof(Samples.Lives))), m));
    }

    [Fact]
    public void MethodsWithoutIlAreRefused()
    {
        MethodInfo open = Samples.Method(nameof(Samples.Constrained));
        MethodInfo isAbstract = typeof(IComparable).GetMethod("CompareTo")!;
        DynamicMethod dynamic = new("D", typeof(void), []);
        foreach (MethodInfo method in new[] { open, isAbstract, dynamic })
            Assert.Contains("no IL", Assert.Throws<CaldException>(() => IlMethod.Of(method)).Message);
    }

    [Fact]
    public void TryIsRefusedWithItsLine()
    {
        CaldException e = Assert.Throws<CaldException>(() => Samples.Read(nameof(Samples.Caught)));
        Assert.Matches(@"^Samples\.Caught \(Samples\.cs:\d+\): try", e.Message);
    }

    private static IEnumerable<IlInstruction> All(IlMethod method) => method.Blocks.SelectMany(b => b.Instructions);
}
