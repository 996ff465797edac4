using LinearCald.Testing.Ptx;

namespace LinearCald.Gpu.Tests.Language;

/// <summary>Kernels through the compiler into the emulator.</summary>
internal static class Compilation
{
    public static EmulatorAccelerator Emulator(EmulatorOptions? options = null) => new(options);

    public static CompiledKernel Compile(Kernel kernel, Index3 group, ReadOnlySpan<byte> arguments, PtxTarget target) =>
        KernelCompiler.Compile(kernel, group, arguments, target);

    public static CompiledKernel Compile(Kernel kernel, Index3 group, ReadOnlySpan<byte> arguments) => Compile(kernel, group, arguments, PtxTarget.Sm80);
}
