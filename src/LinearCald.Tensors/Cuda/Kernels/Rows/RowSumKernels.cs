using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Sums over chosen rows of [B, T, C]. Warps take whole rows of a strip of 32 vectors of channels, and join through shared memory in a fixed order.
/// </summary>
internal static class RowSumKernels
{
    /// <summary>Warps of a group: that many rows at a time.</summary>
    public const int Warps = 8;

    private const int InFlight = 4;

    /// <summary>partial[split, c] = Σ of the rows IndexY · 8 + warp, + 8 · SizeY, … whose mask is not 0; others are not read. Grid: strips along x, splits along y.</summary>
    [Kernel(Name = "masked_row_sums")]
    public static void Masked<TWord, TFormat>(ReadOnlyView<TWord> x, ReadOnlyView<int> mask, View<float> partial, int rows, int channels, [Constant] bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int width = ConvChannels<TWord, TFormat>.Width(vectors), channel = Math.Min(((Grid.IndexX * Warp.Size) + Warp.Lane) * width, channels - width);
        Registers<float, N8> sums = default;
        sums.Fill(0f);
        for (int row = (Grid.IndexY * Warps) + Warp.Index; row < rows; row += Grid.SizeY * Warps)
        {
            if (mask[row] != 0)
            {
                Registers<float, N8> values = default;
                ConvChannels<TWord, TFormat>.Load(x, ((long)row * channels) + channel, 0, vectors, ref values);
                for (int i = 0; i < width; i++)
                {
                    sums[i] += values[i];
                }
            }
        }

        Shared<float> joined = Publish<TWord, TFormat>(ref sums, vectors);
        int strip = Warp.Size * width;
        for (int c = Group.Thread; c < strip; c += Group.Size)
        {
            int at = (Grid.IndexX * strip) + c;
            if (at < channels)
            {
                partial[((long)Grid.IndexY * channels) + at] = OfWarps(joined, strip, c);
            }
        }
    }

    /// <summary>y[b] = Σ over t &lt; n of x[b, t] / n, n = lengths[b]; 0 where n is. Grid: strips along x, samples along y.</summary>
    [Kernel(Name = "mean_rows")]
    public static void Mean<TWord, TFormat>(
        ReadOnlyView<TWord> x, ReadOnlyView<int> lengths, View<TWord> y, int rows, int channels, [Constant] bool hasLengths, [Constant] bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int width = ConvChannels<TWord, TFormat>.Width(vectors), channel = Math.Min(((Grid.IndexX * Warp.Size) + Warp.Lane) * width, channels - width);
        int live = hasLengths ? Math.Clamp(lengths[Grid.IndexY], 0, rows) : rows;
        ReadOnlyView<TWord> from = x.From(((long)Grid.IndexY * rows * channels) + channel);
        Registers<float, N8> sums = default;
        sums.Fill(0f);
        for (int t = Warp.Index; t < live; t += Warps * InFlight)
        {
            Registers<float, N32> values = default;
            for (int r = 0; r < InFlight; r++)
            {
                Loop.Unroll();
                ConvChannels<TWord, TFormat>.Load(from, (long)Math.Min(t + (r * Warps), live - 1) * channels, r, vectors, ref values);
            }

            for (int r = 0; r < InFlight; r++)
            {
                Loop.Unroll();
                for (int i = 0; i < width; i++)
                {
                    sums[i] = t + (r * Warps) < live ? sums[i] + values[(r * 8) + i] : sums[i];
                }
            }
        }

        Shared<float> joined = Publish<TWord, TFormat>(ref sums, vectors);
        int strip = Warp.Size * width;
        for (int c = Group.Thread; c < strip; c += Group.Size)
        {
            int at = (Grid.IndexX * strip) + c;
            if (at < channels)
            {
                y[((long)Grid.IndexY * channels) + at] = TFormat.Narrow(live > 0 ? OfWarps(joined, strip, c) / live : 0f);
            }
        }
    }

    // Each warp's sums in shared memory, [warp][strip].
    private static Shared<float> Publish<TWord, TFormat>(ref Registers<float, N8> sums, bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int width = ConvChannels<TWord, TFormat>.Width(vectors);
        Shared<float> joined = Shared.Allocate<float>(Warps * Warp.Size * width);
        for (int i = 0; i < width; i++)
        {
            joined[(((Warp.Index * Warp.Size) + Warp.Lane) * width) + i] = sums[i];
        }

        Group.Barrier();
        return joined;
    }

    private static float OfWarps(Shared<float> joined, int strip, int column)
    {
        float sum = joined[column];
        for (int w = 1; w < Warps; w++)
        {
            Loop.Unroll();
            sum += joined[(w * strip) + column];
        }

        return sum;
    }
}
