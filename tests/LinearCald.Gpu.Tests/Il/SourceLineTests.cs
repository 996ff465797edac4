using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using LinearCald.Gpu.Frontend.Il;

namespace LinearCald.Gpu.Tests.Il;

public class SourceLineTests
{
    [Fact]
    public void LineOfAMethodsFirstInstruction()
    {
        (string file, int line) = SourceLines.Find(typeof(SourceLineTests).GetMethod(nameof(Known), BindingFlags.Static | BindingFlags.NonPublic)!, 0)!.Value;
        Assert.Equal("SourceLineTests.cs", Path.GetFileName(file));
        Assert.InRange(line, Known() - 1, Known()); // the brace before it in Debug builds
    }

    [Fact]
    public void InstancesOfAGenericShareTheDefinitionsLines()
    {
        MethodInfo open = typeof(Pair<,>).GetMethod("Map")!;
        MethodInfo closed = typeof(Pair<int, double>).GetMethod("Map")!.MakeGenericMethod(typeof(long));
        Assert.NotNull(SourceLines.Find(closed, 0));
        Assert.Equal(SourceLines.Find(open, 5), SourceLines.Find(closed, 5));
    }

    [Fact]
    public void LocalsHaveTheirNames()
    {
        MethodInfo method = Samples.Method(nameof(Samples.Nested));
        IlMethod il = IlMethod.Of(method);
        string?[] names = [.. Enumerable.Range(0, il.Locals.Count).Select(l => SourceLines.LocalName(method, l, 0))];
        Assert.Contains("sum", names);
        Assert.Contains("i", names);
        Assert.Contains("j", names);
    }

    [Fact]
    public void AssembliesWithoutAFileHaveNoLines()
    {
        Type loaded = Assembly.Load(EmptyAssembly()).GetType("T")!;
        Assert.Equal("", loaded.Assembly.Location);
        Assert.Null(SourceLines.Find(loaded.GetMethod("M")!, 0));
        Assert.Null(SourceLines.LocalName(loaded.GetMethod("M")!, 0, 0));
        Assert.Equal("T.M (IL_0010)", SourceLines.Describe(loaded.GetMethod("M")!, 16));
    }

    private static byte[] EmptyAssembly()
    {
        PersistedAssemblyBuilder assembly = new(new AssemblyName("Empty"), typeof(object).Assembly);
        TypeBuilder type = assembly.DefineDynamicModule("Empty").DefineType("T", TypeAttributes.Public);
        type.DefineMethod("M", MethodAttributes.Static | MethodAttributes.Public, typeof(void), []).GetILGenerator().Emit(OpCodes.Ret);
        type.CreateType();
        using MemoryStream stream = new();
        assembly.Save(stream);
        return stream.ToArray();
    }

    private static int Known()
    {
        return Line();
    }

    private static int Line([CallerLineNumber] int line = 0) => line;
}
