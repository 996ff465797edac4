using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of <see cref="SumOfSquaresKernels"/> and <see cref="AdamWKernels"/> on single tensors at device addresses.</summary>
internal static unsafe class Optimiser
{
    private static readonly Kernel s_update = Kernel.Of(AdamWKernels.Update);
    private static readonly Kernel s_addPartials = Kernel.Of(SumOfSquaresKernels.AddPartials);

    /// <summary>Adds Σ x² to a float64 number.</summary>
    public static void AddSumOfSquares(Accelerator accelerator, DType type, nint x, long count, nint total)
    {
        if (count == 0)
        {
            return;
        }

        switch (type)
        {
            case DType.Float32: AddSumOfSquares<float, Float32Format>(accelerator, x, count, total); break;
            case DType.BFloat16: AddSumOfSquares<ushort, BFloat16Format>(accelerator, x, count, total); break;
            case DType.Float16: AddSumOfSquares<ushort, Float16Format>(accelerator, x, count, total); break;
            default: throw Elementwise.Unsupported("SumOfSquares", type);
        }
    }

    /// <summary>One update in place; all float32.</summary>
    public static void AdamW(Accelerator accelerator, nint parameter, nint gradient, nint mean, nint square, long count, in AdamWStep step)
    {
        if (count == 0)
        {
            return;
        }

        bool vectors = ((parameter | gradient | mean | square) & 15) == 0;
        LaunchShape shape = LaunchShape.For(Chunks(count), 1) with { Group = AdamWKernels.Threads };
        accelerator.Launch(
            s_update, shape, new View<float>((float*)parameter, count), new View<float>((float*)gradient, count), new View<float>((float*)mean, count),
            new View<float>((float*)square, count), count, new AdamWCoefficients(in step), vectors);
    }

    /// <summary>Chunks of a tensor.</summary>
    public static long Chunks(long count) => (count + AdamWKernels.Chunk - 1) / AdamWKernels.Chunk;

    private static void AddSumOfSquares<TWord, TFormat>(Accelerator accelerator, nint x, long count, nint total)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int chunks = checked((int)Chunks(count));
        using DeviceBuffer<double> partials = accelerator.Allocate<double>(chunks, "partial sums of squares");
        accelerator.Launch(
            SquaresKernel<TWord, TFormat>.Instance, new LaunchShape(chunks, SumOfSquaresKernels.Threads),
            new ReadOnlyView<TWord>((TWord*)x, count), count, partials.View, Elementwise.Aligned(x));
        accelerator.Launch(
            s_addPartials, new LaunchShape(1, SumOfSquaresKernels.Threads), partials.ReadOnly, chunks, new View<double>((double*)total, 1));
    }

    private static class SquaresKernel<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Instance = Kernel.Of(SumOfSquaresKernels.Squares<TWord, TFormat>);
    }
}
