using System.Reflection;
using LinearCald.Gpu.Unoptimised;

namespace LinearCald.Gpu.Tests.Compiler;

/// <summary>The compiler's test kernels, from optimised IL and from IL made for debugging.</summary>
internal static class TestKernels
{
    private static readonly Assembly s_unoptimised = typeof(UnoptimisedMark).Assembly;

    public static Kernel Find(Type type, string name, bool optimised)
    {
        Type home = optimised ? type : s_unoptimised.GetType($"LinearCald.Gpu.Unoptimised.{type.Name}", true)!;
        return Kernel.Of(home.GetMethod(name, BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static)!);
    }

    public static IEnumerable<string> Names(Type type) =>
        type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly).Select(m => m.Name).Order(StringComparer.Ordinal);

    /// <summary>The PTX of a kernel whose constant parameters are ints.</summary>
    public static string Ptx(Kernel kernel, Index3 group, params int[] constants) => Compile(kernel, group, constants).Ptx;

    public static CompiledKernel Compile(Kernel kernel, Index3 group, params int[] constants)
    {
        byte[] arguments = new byte[kernel.PackedBytes];
        int next = 0;
        foreach (KernelParameter parameter in kernel.Parameters.Where(p => p.IsConstant))
        {
            BitConverter.TryWriteBytes(arguments.AsSpan(parameter.Offset), constants[next++]);
        }

        return KernelCompiler.Compile(kernel, group, arguments, PtxTarget.Sm80);
    }
}
