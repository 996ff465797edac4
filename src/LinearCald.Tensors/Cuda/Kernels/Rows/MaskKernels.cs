using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Rows or features of [B, T, C] that are replaced or cleared, and the gradient of means over rows. A thread works on <see cref="ElementwiseKernels.InFlight"/> items, each a
/// vector of 16 bytes or one element, a group's width apart, and reads all before it writes the first. Floor: one read and one write.
/// </summary>
internal static class MaskKernels
{
    /// <summary>y = x, or what <see cref="MaskKind"/> says in its place. Grid: items along x.</summary>
    /// <param name="mask">int32 [B, T], [B] or [B, C], by kind.</param>
    /// <param name="row">[C] where rows are replaced.</param>
    [Kernel(Name = "mask")]
    public static void Mask<TWord, TFormat>(
        ReadOnlyView<TWord> x, ReadOnlyView<int> mask, ReadOnlyView<float> row, View<TWord> y, MaskSizes sizes, [Constant] MaskKind kind, [Constant] bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int width = ConvChannels<TWord, TFormat>.Width(vectors), first = (Grid.IndexX * (ElementwiseKernels.Threads * ElementwiseKernels.InFlight)) + Group.Thread;
        Registers<float, N32> values = default;
        for (int k = 0; k < ElementwiseKernels.InFlight; k++)
        {
            Loop.Unroll();
            ConvChannels<TWord, TFormat>.Load(x, (long)Math.Min(first + (k * ElementwiseKernels.Threads), sizes.Items - 1) * width, k, vectors, ref values);
        }

        for (int k = 0; k < ElementwiseKernels.InFlight; k++)
        {
            Loop.Unroll();
            int item = first + (k * ElementwiseKernels.Threads);
            if (item < sizes.Items)
            {
                int line = sizes.Width.Divide(item), channel = (item - (line * sizes.Width.Divisor)) * width, sample = sizes.Rows.Divide(line);
                bool masked = kind == MaskKind.Lengths ? line - (sample * sizes.Rows.Divisor) >= mask[sample] : kind != MaskKind.Features && mask[line] != 0;
                Registers<float, N8> result = default;
                for (int i = 0; i < width; i++)
                {
                    if (kind == MaskKind.Features)
                    {
                        masked = mask[((long)sample * sizes.Width.Divisor * width) + channel + i] != 0;
                    }

                    float other = 0f;
                    if (kind == MaskKind.Replaced && masked)
                    {
                        other = row[channel + i];
                    }

                    result[i] = masked ? other : values[(k * 8) + i];
                }

                ConvChannels<TWord, TFormat>.Store(y, (long)item * width, vectors, result);
            }
        }
    }

    /// <summary>gx[b, t] = gy[b] / n for t below the number n of valid rows, else 0. Grid: items of gx along x.</summary>
    /// <param name="gy">[B, C].</param>
    [Kernel(Name = "mean_rows_gradient")]
    public static void MeanGradient<TWord, TFormat>(
        ReadOnlyView<TWord> gy, ReadOnlyView<int> lengths, View<TWord> gx, MaskSizes sizes, [Constant] bool hasLengths, [Constant] bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int width = ConvChannels<TWord, TFormat>.Width(vectors), first = (Grid.IndexX * (ElementwiseKernels.Threads * ElementwiseKernels.InFlight)) + Group.Thread;
        for (int k = 0; k < ElementwiseKernels.InFlight; k++)
        {
            Loop.Unroll();
            int item = first + (k * ElementwiseKernels.Threads);
            if (item < sizes.Items)
            {
                int line = sizes.Width.Divide(item), sample = sizes.Rows.Divide(line), rows = sizes.Rows.Divisor;
                int live = hasLengths ? Math.Clamp(lengths[sample], 0, rows) : rows;
                Registers<float, N8> values = default;
                ConvChannels<TWord, TFormat>.Load(gy, (((long)sample * sizes.Width.Divisor) + (item - (line * sizes.Width.Divisor))) * width, 0, vectors, ref values);
                for (int i = 0; i < width; i++)
                {
                    values[i] = line - (sample * rows) < live ? values[i] / live : 0f;
                }

                ConvChannels<TWord, TFormat>.Store(gx, (long)item * width, vectors, values);
            }
        }
    }
}

/// <summary>What <see cref="MaskKernels.Mask"/> puts in place of x.</summary>
internal enum MaskKind
{
    /// <summary>A row where mask[b, t] is not 0.</summary>
    Replaced,

    /// <summary>Zeros where mask[b, t] is not 0.</summary>
    Rows,

    /// <summary>Zeros from row mask[b] on.</summary>
    Lengths,

    /// <summary>Zeros where mask[b, c] is not 0.</summary>
    Features,
}

/// <summary>What the kernels over items of [B, T, C] are told at launch.</summary>
internal struct MaskSizes
{
    /// <summary>Vectors or elements of the tensor.</summary>
    public int Items;

    /// <summary>T.</summary>
    public FastDivisor Rows;

    /// <summary>Items of a row.</summary>
    public FastDivisor Width;
}
