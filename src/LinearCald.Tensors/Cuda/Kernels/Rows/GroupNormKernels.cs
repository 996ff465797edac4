using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Group normalisation of [B, T, C]: y = (x − μ) rstd w + b, statistics of each sample over T and a group's channels. A group of threads takes a tile of rows and a strip of
/// 32 vectors of channels: each warp reads whole rows of the strip, four before it uses the first. Statistics take two steps: per tile and channel the mean and the squared
/// deviations around it (sums around the tile's first row, which do not cancel), then one group a sample and group of channels joins those of all tiles and channels in a
/// fixed order. Floor: two reads and a write.
/// </summary>
internal static class GroupNormKernels
{
    /// <summary>Warps of a group: that many rows at a time.</summary>
    public const int Warps = 8;

    private const int InFlight = 4;

    /// <summary>partial[b, tile, c] = mean and Σ (x − mean)² over the rows of a tile. Grid: strips along x, tiles along y, samples along z.</summary>
    [Kernel(Name = "group_norm_tiles")]
    public static void Tiles<TWord, TFormat>(ReadOnlyView<TWord> x, View<Float2> partial, GroupNormSizes sizes, [Constant] bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int width = ConvChannels<TWord, TFormat>.Width(vectors), strip = Warp.Size * width;
        int first = Grid.IndexY * sizes.TileRows, rows = Math.Min(sizes.TileRows, sizes.Rows - first);
        long start = (((long)Grid.IndexZ * sizes.Rows) + first) * sizes.Channels;
        ReadOnlyView<TWord> from = x.From(start + Inside(sizes, Channel(width), width));
        Registers<float, N8> shift = default, sums = default, squares = default;
        ConvChannels<TWord, TFormat>.Load(from, 0, 0, vectors, ref shift);
        sums.Fill(0f);
        squares.Fill(0f);
        for (int t = Warp.Index; t < rows; t += Warps * InFlight)
        {
            Registers<float, N32> values = default;
            for (int r = 0; r < InFlight; r++)
            {
                Loop.Unroll();
                ConvChannels<TWord, TFormat>.Load(from, (long)Math.Min(t + (r * Warps), rows - 1) * sizes.Channels, r, vectors, ref values);
            }

            for (int r = 0; r < InFlight; r++)
            {
                Loop.Unroll();
                for (int i = 0; i < width; i++)
                {
                    float d = t + (r * Warps) < rows ? values[(r * 8) + i] - shift[i] : 0f;
                    sums[i] += d;
                    squares[i] = GpuMath.Fma(d, d, squares[i]);
                }
            }
        }

        Shared<Float2> joined = Shared.Allocate<Float2>(Warps * strip);
        for (int i = 0; i < width; i++)
        {
            joined[(Warp.Index * strip) + (Warp.Lane * width) + i] = new Float2(sums[i], squares[i]);
        }

        Group.Barrier();
        for (int c = Group.Thread; c < strip; c += Group.Size)
        {
            Float2 sum = SumOfWarps(joined, strip, c);
            int at = (Grid.IndexX * strip) + c;
            if (at < sizes.Channels)
            {
                float mean = sum.X / rows;
                float squaresAround = MathF.Max(GpuMath.Fma(-mean, sum.X, sum.Y), 0f);
                float firstValue = TFormat.Widen(x[start + at]);
                partial[((((long)Grid.IndexZ * Grid.SizeY) + Grid.IndexY) * sizes.Channels) + at] = new Float2(firstValue + mean, squaresAround);
            }
        }
    }

    /// <summary>mean and rstd [B · groups] of what <see cref="Tiles"/> left. Grid: groups of channels along x, samples along y.</summary>
    [Kernel(Name = "group_norm_join")]
    public static void Join(ReadOnlyView<Float2> partial, View<float> mean, View<float> rstd, GroupNormSizes sizes, int tiles, float epsilon)
    {
        int width = sizes.Width.Divisor, count = tiles * width;
        ReadOnlyView<Float2> from = partial.From(((long)Grid.IndexY * tiles * sizes.Channels) + ((long)Grid.IndexX * width));
        float all = (float)sizes.Rows * width, sum = 0f;
        for (int i = Group.Thread; i < count; i += Group.Size)
        {
            int tile = sizes.Width.Divide(i);
            sum = GpuMath.Fma(from[((long)tile * sizes.Channels) + (i - (tile * width))].X, RowsOf(sizes, tile), sum);
        }

        float average = GroupTeam.Sum(GroupTeam.Scratch(), sum) / all, squares = 0f;
        for (int i = Group.Thread; i < count; i += Group.Size)
        {
            int tile = sizes.Width.Divide(i);
            Float2 part = from[((long)tile * sizes.Channels) + (i - (tile * width))];
            float d = part.X - average;
            squares += GpuMath.Fma(d * d, RowsOf(sizes, tile), part.Y);
        }

        squares = GroupTeam.Sum(GroupTeam.Scratch(), squares);
        if (Group.Thread == 0)
        {
            int at = (Grid.IndexY * Grid.SizeX) + Grid.IndexX;
            mean[at] = average;
            rstd[at] = 1f / MathF.Sqrt((squares / all) + epsilon);
        }
    }

    /// <summary>y = (x − mean) rstd w + b. Grid: strips along x, tiles along y, samples along z.</summary>
    [Kernel(Name = "group_norm")]
    public static void Apply<TWord, TFormat>(
        ReadOnlyView<TWord> x, ReadOnlyView<float> w, ReadOnlyView<float> b, ReadOnlyView<float> mean, ReadOnlyView<float> rstd, View<TWord> y, GroupNormSizes sizes,
        [Constant] bool vectors, [Constant] bool hasW, [Constant] bool hasB)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int width = ConvChannels<TWord, TFormat>.Width(vectors), channel = Channel(width);
        if (channel >= sizes.Channels)
        {
            return;
        }

        Registers<float, N8> average = default, scale = default, shift = default;
        LoadStatistics(mean, rstd, sizes, channel, width, ref average, ref scale);
        for (int i = 0; i < width; i++)
        {
            scale[i] = hasW ? scale[i] * w[channel + i] : scale[i];
            shift[i] = hasB ? b[channel + i] : 0f;
        }

        int first = Grid.IndexY * sizes.TileRows, rows = Math.Min(sizes.TileRows, sizes.Rows - first);
        long start = ((((long)Grid.IndexZ * sizes.Rows) + first) * sizes.Channels) + channel;
        for (int t = Warp.Index; t < rows; t += Warps * InFlight)
        {
            Registers<float, N32> values = default;
            for (int r = 0; r < InFlight; r++)
            {
                Loop.Unroll();
                ConvChannels<TWord, TFormat>.Load(x, start + ((long)Math.Min(t + (r * Warps), rows - 1) * sizes.Channels), r, vectors, ref values);
            }

            for (int r = 0; r < InFlight; r++)
            {
                Loop.Unroll();
                Registers<float, N8> result = default;
                for (int i = 0; i < width; i++)
                {
                    result[i] = GpuMath.Fma(values[(r * 8) + i] - average[i], scale[i], shift[i]);
                }

                if (t + (r * Warps) < rows)
                {
                    ConvChannels<TWord, TFormat>.Store(y, start + ((long)(t + (r * Warps)) * sizes.Channels), vectors, result);
                }
            }
        }
    }

    /// <summary>This thread's first channel.</summary>
    public static int Channel(int width) => ((Grid.IndexX * Warp.Size) + Warp.Lane) * width;

    /// <summary>The channel, or the last ones where it lies beyond them, so that nothing stands between loads.</summary>
    public static int Inside(GroupNormSizes sizes, int channel, int width) => Math.Min(channel, sizes.Channels - width);

    /// <summary>The sums of column <paramref name="column"/> of the warps' rows in shared memory, in their order.</summary>
    public static Float2 SumOfWarps(Shared<Float2> joined, int strip, int column)
    {
        Float2 sum = joined[column];
        for (int w = 1; w < Warps; w++)
        {
            Loop.Unroll();
            Float2 next = joined[(w * strip) + column];
            sum = new Float2(sum.X + next.X, sum.Y + next.Y);
        }

        return sum;
    }

    /// <summary>Mean and rstd for each of a thread's channels.</summary>
    public static void LoadStatistics(
        ReadOnlyView<float> mean, ReadOnlyView<float> rstd, GroupNormSizes sizes, int channel, int width, ref Registers<float, N8> average, ref Registers<float, N8> scale)
    {
        for (int i = 0; i < width; i++)
        {
            int group = (Grid.IndexZ * sizes.Groups) + sizes.Width.Divide(channel + i);
            average[i] = mean[group];
            scale[i] = rstd[group];
        }
    }

    private static float RowsOf(GroupNormSizes sizes, int tile) => Math.Min(sizes.TileRows, sizes.Rows - (tile * sizes.TileRows));
}

/// <summary>What the kernels of group norms are told at launch; x is [B, <see cref="Rows"/>, <see cref="Channels"/>].</summary>
internal struct GroupNormSizes
{
    /// <summary>T.</summary>
    public int Rows;

    /// <summary>C.</summary>
    public int Channels;

    /// <summary>Groups of channels.</summary>
    public int Groups;

    /// <summary>Rows of a tile.</summary>
    public int TileRows;

    /// <summary>Channels of a group.</summary>
    public FastDivisor Width;
}
