using System.Reflection;
using LinearCald.Gpu.Frontend.Intrinsics;

namespace LinearCald.Gpu.Tests.Language;

public class IntrinsicTableTests
{
    [Fact]
    public void EveryIntrinsicHasAnEmitter()
    {
        const BindingFlags Declared = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        MethodBase[] marked =
        [
            .. typeof(Kernel).Assembly.GetTypes()
                .SelectMany(t => t.GetMethods(Declared).Cast<MethodBase>().Concat(t.GetConstructors(Declared)))
                .Where(m => m.IsDefined(typeof(IntrinsicAttribute), false)),
        ];
        Assert.True(marked.Length > 80, $"only {marked.Length} marked members were found");
        string[] missing = [.. marked.Where(m => IntrinsicTable.Find(m) is null).Select(m => $"{m.DeclaringType!.Name}.{m.Name}")];
        Assert.Empty(missing);
    }

    [Theory]
    [InlineData(typeof(MathF), nameof(MathF.Exp), typeof(float))]
    [InlineData(typeof(MathF), nameof(MathF.Log), typeof(float))]
    [InlineData(typeof(MathF), nameof(MathF.Tanh), typeof(float))]
    [InlineData(typeof(Math), nameof(Math.Exp), typeof(double))]
    [InlineData(typeof(float), nameof(float.Exp2), typeof(float))]
    public void LibraryFunctionsAreReplacedByOursOfTheSameType(Type type, string name, Type argument)
    {
        MethodInfo substitute = (MethodInfo)Substitutes.For(type.GetMethod(name, [argument])!);
        Assert.Equal(typeof(GpuMath), substitute.DeclaringType);
        Assert.Equal(argument, substitute.ReturnType);
    }

    [Fact]
    public void OverloadsWithoutACounterpartStay()
    {
        MethodInfo log = typeof(Math).GetMethod(nameof(Math.Log), [typeof(double), typeof(double)])!;
        Assert.Same(log, Substitutes.For(log));
    }
}
