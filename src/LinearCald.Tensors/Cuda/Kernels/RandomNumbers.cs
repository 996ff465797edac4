using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of <see cref="DropoutKernels"/> and <see cref="RandomKernels"/> at device addresses.</summary>
internal static unsafe class RandomNumbers
{
    /// <summary>y[i] = x[i] · mask[i] / (1 − p), of float32, bfloat16 or float16; y may be x.</summary>
    /// <param name="p">Probability of a zero, 0 ≤ p &lt; 1.</param>
    /// <param name="key">Names the mask.</param>
    public static void Dropout(Accelerator accelerator, DType type, nint x, nint y, long count, double p, in DeviceRandomKey key)
    {
        switch (type)
        {
            case DType.Float32: Dropout<float, Float32Format>(accelerator, x, y, count, p, key); break;
            case DType.BFloat16: Dropout<ushort, BFloat16Format>(accelerator, x, y, count, p, key); break;
            case DType.Float16: Dropout<ushort, Float16Format>(accelerator, x, y, count, p, key); break;
            default: throw Elementwise.Unsupported("Dropout", type);
        }
    }

    /// <summary>The bound below which a word drops its element.</summary>
    public static uint Threshold(double p) => (uint)Math.Min(uint.MaxValue, Math.Round(p * 4294967296.0));

    /// <summary>Independent numbers uniform in [low, high).</summary>
    public static void Uniform(Accelerator accelerator, DType type, nint y, long count, double low, double high, RandomKey key) =>
        Make(accelerator, type, y, count, low, high - low, key, normal: false, "Uniform");

    /// <summary>Independent normal numbers.</summary>
    public static void Normal(Accelerator accelerator, DType type, nint y, long count, double mean, double deviation, RandomKey key) =>
        Make(accelerator, type, y, count, mean, deviation, key, normal: true, "Normal");

    private static void Dropout<TWord, TFormat>(Accelerator accelerator, nint x, nint y, long count, double p, DeviceRandomKey key)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        bool vectors = Elementwise.Aligned(x, y);
        for (long from = 0; from < count; from += Elementwise.Slice)
        {
            int part = (int)Math.Min(Elementwise.Slice, count - from);
            long groups = ((long)part + Philox.GroupSize - 1) / Philox.GroupSize;
            accelerator.Launch(
                DropoutKernel<TWord, TFormat>.Instance, LaunchShape.For(groups * (16 / TFormat.Lanes), DropoutKernels.Threads),
                new View<TWord>((TWord*)x + from, part), new View<TWord>((TWord*)y + from, part), part, key,
                (ulong)from / Philox.GroupSize, Threshold(p), (float)(1 / (1 - p)), vectors);
        }
    }

    private static void Make(Accelerator accelerator, DType type, nint y, long count, double offset, double factor, RandomKey key, bool normal, string name)
    {
        switch (type)
        {
            case DType.Float32: Make<float, ToFormat<float, Float32Format>>(accelerator, y, count, offset, factor, key, normal); break;
            case DType.Float64: Make<double, ToFloat64>(accelerator, y, count, offset, factor, key, normal); break;
            case DType.BFloat16: Make<ushort, ToFormat<ushort, BFloat16Format>>(accelerator, y, count, offset, factor, key, normal); break;
            case DType.Float16: Make<ushort, ToFormat<ushort, Float16Format>>(accelerator, y, count, offset, factor, key, normal); break;
            default: throw new CaldException($"{name}: random numbers are floating-point, not {type}; fill another tensor and convert it");
        }
    }

    private static void Make<TWord, TRounding>(Accelerator accelerator, nint y, long count, double offset, double factor, RandomKey key, bool normal)
        where TWord : unmanaged
        where TRounding : struct, IRounding<TWord>
    {
        for (long from = 0; from < count; from += Elementwise.Slice)
        {
            int part = (int)Math.Min(Elementwise.Slice, count - from);
            long threads = ((long)part + 31) / 32 * 4;
            accelerator.Launch(
                RandomKernel<TWord, TRounding>.Instance, LaunchShape.For(threads, RandomKernels.Threads),
                new View<TWord>((TWord*)y + from, part), part, offset, factor, key.Seed, key.Stream, (ulong)from / 32, normal);
        }
    }

    private static class DropoutKernel<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Instance = Kernel.Of(DropoutKernels.Apply<TWord, TFormat>);
    }

    private static class RandomKernel<TWord, TRounding>
        where TWord : unmanaged
        where TRounding : struct, IRounding<TWord>
    {
        public static readonly Kernel Instance = Kernel.Of(RandomKernels.Make<TWord, TRounding>);
    }
}
