using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of <see cref="TotalKernels"/>.</summary>
internal static class Totals
{
    private const int GroupsPerMultiprocessor = 2;

    /// <summary>y = Σ x; y is one element of x's type.</summary>
    public static void Sum(Accelerator accelerator, DType type, nint x, long count, nint y)
    {
        if (count == 0)
        {
            Copy.FillBytes(accelerator, y, type.Size(), 0);
        }

        // The element count is no row length: only whether it is 0 matters to the dispatch.
        RowMatrix.Dispatch(type, "Sum", new SumLaunch(accelerator, x, count, y), Math.Min(count, 1), 1);
    }

    /// <summary>total[1] (float32) = scale · Σ terms.</summary>
    public static void OfTerms(Accelerator accelerator, DeviceBuffer<double> terms, double scale, nint total) =>
        accelerator.Launch(
            Kernels<float, Float32Format>.Total, new LaunchShape(1, TotalKernels.Threads), terms.ReadOnly, checked((int)terms.Length), scale, RowMatrix.View<float>(total, 1));

    private readonly record struct SumLaunch(Accelerator Accelerator, nint X, long Count, nint Y) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            long tiles = (Count + (TotalKernels.Threads * 32) - 1) / (TotalKernels.Threads * 32);
            int groups = (int)Math.Min(tiles, (long)Accelerator.Limits.Multiprocessors * GroupsPerMultiprocessor);
            using DeviceBuffer<double> partials = Accelerator.Allocate<double>(groups, "partial sums");
            Accelerator.Launch(
                Kernels<TWord, TFormat>.Partial, new LaunchShape(groups, TotalKernels.Threads),
                RowMatrix.ReadOnly<TWord>(X, Count), Count, partials.View, Count % TFormat.Lanes == 0 && RowMatrix.Aligned(X));
            Accelerator.Launch(
                Kernels<TWord, TFormat>.Total, new LaunchShape(1, TotalKernels.Threads), partials.ReadOnly, groups, 1.0, RowMatrix.View<TWord>(Y, 1));
        }
    }

    private static class Kernels<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Partial = Kernel.Of(TotalKernels.Partial<TWord, TFormat>);
        public static readonly Kernel Total = Kernel.Of(TotalKernels.Total<TWord, TFormat>);
    }
}
