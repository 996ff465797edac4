using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of <see cref="ColumnSumKernels"/>.</summary>
internal static class ColumnSum
{
    private const int GroupsPerMultiprocessor = 8;

    /// <summary>y = Σ over the rows of x [rows, columns], or is added to; y [columns] is float32 or of x's type.</summary>
    public static void Run(Accelerator accelerator, DType type, nint x, DType outputType, nint y, long rows, long columns, bool accumulate)
    {
        if (rows == 0 && columns > 0 && !accumulate)
        {
            Copy.FillBytes(accelerator, y, columns * outputType.Size(), 0);
        }

        RowMatrix.Dispatch(type, "SumRows", new PartialLaunch(accelerator, x, outputType, y, rows, columns, accumulate), rows, columns);
    }

    /// <summary>y = Σ over the splits of partial [splits, columns], in their order.</summary>
    public static void AddPartials(Accelerator accelerator, DType outputType, View<float> partial, nint y, int splits, long columns, bool accumulate) =>
        RowMatrix.Dispatch(outputType, "SumRows", new AddLaunch(accelerator, partial, y, splits, columns, accumulate), splits, columns);

    private readonly record struct PartialLaunch(
        Accelerator Accelerator, nint X, DType OutputType, nint Y, long Rows, long Columns, bool Accumulate) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            int strip = Warp.Size * TFormat.Lanes;
            int strips = (int)((Columns + strip - 1) / strip);
            long wanted = (Accelerator.Limits.Multiprocessors * GroupsPerMultiprocessor / strips) + 1;
            int splits = (int)Math.Min(wanted, (Rows + ColumnSumKernels.Warps - 1) / ColumnSumKernels.Warps);
            using DeviceBuffer<float> partial = Accelerator.Allocate<float>(splits * Columns, "partial column sums");
            Accelerator.Launch(
                Kernels<TWord, TFormat>.Partial, new LaunchShape(new Index3(strips, splits), ColumnSumKernels.Warps * Warp.Size),
                RowMatrix.ReadOnly<TWord>(X, Rows, Columns), partial.View, (int)Rows, (int)Columns, Columns % TFormat.Lanes == 0 && RowMatrix.Aligned(X));
            AddPartials(Accelerator, OutputType, partial.View, Y, splits, Columns, Accumulate);
        }
    }

    private readonly record struct AddLaunch(Accelerator Accelerator, View<float> Partial, nint Y, int Splits, long Columns, bool Accumulate) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord> =>
            Accelerator.Launch(
                Kernels<TWord, TFormat>.Add, new LaunchShape((int)((Columns + Warp.Size - 1) / Warp.Size), ColumnSumKernels.Warps * Warp.Size),
                (ReadOnlyView<float>)Partial, RowMatrix.View<TWord>(Y, Columns), Splits, (int)Columns, Accumulate);
    }

    private static class Kernels<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Partial = Kernel.Of(ColumnSumKernels.Partial<TWord, TFormat>);
        public static readonly Kernel Add = Kernel.Of(ColumnSumKernels.AddPartials<TWord, TFormat>);
    }
}
