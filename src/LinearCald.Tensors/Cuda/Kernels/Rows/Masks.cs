using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of <see cref="MaskKernels"/> and <see cref="RowSumKernels"/> on [batch, rows, channels] at device addresses; address 0 stands for what is absent.</summary>
internal static class Masks
{
    private const int GroupsPerMultiprocessor = 8;
    private const int MostAlongY = 65535;

    /// <summary>y = x where the mask of a kind does not say otherwise.</summary>
    /// <param name="row">float32 [channels] for <see cref="MaskKind.Replaced"/>.</param>
    public static void Apply(Accelerator accelerator, DType type, MaskKind kind, nint x, nint mask, nint row, nint y, int batch, int rows, int channels) =>
        Dispatch(kind.ToString(), type, new MaskLaunch(accelerator, kind, x, mask, row, y, batch, rows, channels), batch, rows, channels);

    /// <summary>sum [channels] (float32) = Σ of the rows of x whose mask is not 0, or is added to.</summary>
    public static void SumOfMasked(Accelerator accelerator, DType type, nint x, nint mask, nint sum, bool accumulate, int batch, int rows, int channels)
    {
        if ((batch == 0 || rows == 0) && !accumulate)
        {
            Copy.FillBytes(accelerator, sum, (long)channels * sizeof(float), 0);
        }

        Dispatch("ReplaceRows", type, new SumLaunch(accelerator, x, mask, sum, accumulate, checked((int)((long)batch * rows)), channels), batch, rows, channels);
    }

    /// <summary>y [batch, channels] = means of x over the rows below lengths.</summary>
    public static void Mean(Accelerator accelerator, DType type, nint x, nint lengths, nint y, int batch, int rows, int channels)
    {
        if (batch > MostAlongY)
        {
            throw new CaldException($"MeanRows: {batch:N0} samples; the kernel takes {MostAlongY:N0}: split the batch");
        }

        // Of no rows the mean is 0, which still must be written.
        RowMatrix.Dispatch(type, "MeanRows", new MeanLaunch(accelerator, x, lengths, y, batch, rows, channels), batch, channels);
    }

    /// <summary>gx of the means.</summary>
    public static void MeanGradient(Accelerator accelerator, DType type, nint gy, nint lengths, nint gx, int batch, int rows, int channels) =>
        Dispatch("MeanRows", type, new MeanGradientLaunch(accelerator, gy, lengths, gx, batch, rows, channels), batch, rows, channels);

    private static void Dispatch<TLaunch>(string operation, DType type, in TLaunch launch, int batch, int rows, int channels)
        where TLaunch : struct, IFormatLaunch
    {
        if ((long)batch * rows * channels > int.MaxValue - (2 * ElementwiseKernels.Threads * ElementwiseKernels.InFlight))
        {
            throw new CaldException($"{operation}: {(long)batch * rows * channels:N0} elements; kernels count in 32 bits: split the batch");
        }

        RowMatrix.Dispatch(type, operation, launch, (long)batch * rows, channels);
    }

    private static MaskSizes Sizes(int batch, int rows, int channels, int width) => new()
    {
        Items = (int)((long)batch * rows * (channels / width)),
        Rows = new FastDivisor(rows),
        Width = new FastDivisor(channels / width),
    };

    private readonly record struct MaskLaunch(Accelerator Accelerator, MaskKind Kind, nint X, nint Mask, nint Row, nint Y, int Batch, int Rows, int Channels) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            (Accelerator accelerator, MaskKind kind, nint x, nint mask, nint row, nint y, int batch, int rows, int channels) = this;
            bool vectors = channels % TFormat.Lanes == 0 && RowMatrix.Aligned(x | y);
            MaskSizes sizes = Sizes(batch, rows, channels, ConvChannels<TWord, TFormat>.Width(vectors));
            long masks = kind switch { MaskKind.Lengths => batch, MaskKind.Features => (long)batch * channels, _ => (long)batch * rows };
            accelerator.Launch(
                Kernels<TWord, TFormat>.Mask, Elementwise.Over(sizes.Items), RowMatrix.ReadOnly<TWord>(x, (long)batch * rows, channels), RowMatrix.ReadOnly<int>(mask, masks),
                RowMatrix.ReadOnly<float>(row, channels), RowMatrix.View<TWord>(y, (long)batch * rows, channels), sizes, kind, vectors);
        }
    }

    private readonly record struct SumLaunch(Accelerator Accelerator, nint X, nint Mask, nint Sum, bool Accumulate, int Rows, int Channels) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            bool vectors = Channels % TFormat.Lanes == 0 && RowMatrix.Aligned(X);
            int strip = Warp.Size * ConvChannels<TWord, TFormat>.Width(vectors), strips = (Channels + strip - 1) / strip;
            long wanted = (Accelerator.Limits.Multiprocessors * GroupsPerMultiprocessor / strips) + 1;
            int splits = (int)Math.Min(wanted, (Rows + RowSumKernels.Warps - 1) / RowSumKernels.Warps);
            using DeviceBuffer<float> partial = Accelerator.Allocate<float>((long)splits * Channels, "partial sums of masked rows");
            Accelerator.Launch(
                Kernels<TWord, TFormat>.Masked, new LaunchShape(new Index3(strips, splits), RowSumKernels.Warps * Warp.Size), RowMatrix.ReadOnly<TWord>(X, Rows, Channels),
                RowMatrix.ReadOnly<int>(Mask, Rows), partial.View, Rows, Channels, vectors);
            ColumnSum.AddPartials(Accelerator, DType.Float32, partial.View, Sum, splits, Channels, Accumulate);
        }
    }

    private readonly record struct MeanLaunch(Accelerator Accelerator, nint X, nint Lengths, nint Y, int Batch, int Rows, int Channels) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            bool vectors = Channels % TFormat.Lanes == 0 && RowMatrix.Aligned(X);
            int strip = Warp.Size * ConvChannels<TWord, TFormat>.Width(vectors);
            Accelerator.Launch(
                Kernels<TWord, TFormat>.Mean, new LaunchShape(new Index3((Channels + strip - 1) / strip, Batch), RowSumKernels.Warps * Warp.Size),
                RowMatrix.ReadOnly<TWord>(X, (long)Batch * Rows, Channels), RowMatrix.ReadOnly<int>(Lengths, Batch), RowMatrix.View<TWord>(Y, Batch, Channels), Rows, Channels,
                Lengths != 0, vectors);
        }
    }

    private readonly record struct MeanGradientLaunch(Accelerator Accelerator, nint GY, nint Lengths, nint GX, int Batch, int Rows, int Channels) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            bool vectors = Channels % TFormat.Lanes == 0 && RowMatrix.Aligned(GY | GX);
            MaskSizes sizes = Sizes(Batch, Rows, Channels, ConvChannels<TWord, TFormat>.Width(vectors));
            Accelerator.Launch(
                Kernels<TWord, TFormat>.MeanGradient, Elementwise.Over(sizes.Items), RowMatrix.ReadOnly<TWord>(GY, Batch, Channels), RowMatrix.ReadOnly<int>(Lengths, Batch),
                RowMatrix.View<TWord>(GX, (long)Batch * Rows, Channels), sizes, Lengths != 0, vectors);
        }
    }

    private static class Kernels<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Mask = Kernel.Of(MaskKernels.Mask<TWord, TFormat>);
        public static readonly Kernel MeanGradient = Kernel.Of(MaskKernels.MeanGradient<TWord, TFormat>);
        public static readonly Kernel Masked = Kernel.Of(RowSumKernels.Masked<TWord, TFormat>);
        public static readonly Kernel Mean = Kernel.Of(RowSumKernels.Mean<TWord, TFormat>);
    }
}
