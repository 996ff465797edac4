using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// The gradient of <see cref="GroupNormKernels"/>: with x̂ = (x − μ) rstd and g = gy w, gx = rstd (g − mean(g) − x̂ mean(g x̂)), the means over a sample's group; gb = Σ gy,
/// gw = Σ gy x̂ over samples and rows. All of them follow from the sums of gy and gy x̂ per tile and channel, which one pass leaves as [B · tiles, C] float32 each, added in
/// order. Floor: two reads of gy and x, a write of gx.
/// </summary>
internal static class GroupNormGradientKernels
{
    private const int InFlight = 4;

    /// <summary>Σ gy and Σ gy x̂ over the rows of a tile. Grid: strips along x, tiles along y, samples along z.</summary>
    [Kernel(Name = "group_norm_gradient_tiles")]
    public static void Tiles<TWord, TFormat>(
        ReadOnlyView<TWord> gy, ReadOnlyView<TWord> x, ReadOnlyView<float> mean, ReadOnlyView<float> rstd, View<float> sumsB, View<float> sumsW, GroupNormSizes sizes,
        [Constant] bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int width = ConvChannels<TWord, TFormat>.Width(vectors), strip = Warp.Size * width;
        int channel = GroupNormKernels.Inside(sizes, GroupNormKernels.Channel(width), width);
        int first = Grid.IndexY * sizes.TileRows, rows = Math.Min(sizes.TileRows, sizes.Rows - first);
        long start = ((((long)Grid.IndexZ * sizes.Rows) + first) * sizes.Channels) + channel;
        Registers<float, N8> average = default, scale = default, sumB = default, sumW = default;
        GroupNormKernels.LoadStatistics(mean, rstd, sizes, channel, width, ref average, ref scale);
        sumB.Fill(0f);
        sumW.Fill(0f);
        for (int t = Warp.Index; t < rows; t += GroupNormKernels.Warps * InFlight)
        {
            Registers<float, N32> given = default, values = default;
            Load<TWord, TFormat>(gy, x, start, t, rows, sizes, vectors, ref given, ref values);
            for (int r = 0; r < InFlight; r++)
            {
                Loop.Unroll();
                for (int i = 0; i < width; i++)
                {
                    float g = t + (r * GroupNormKernels.Warps) < rows ? given[(r * 8) + i] : 0f;
                    sumB[i] += g;
                    sumW[i] = GpuMath.Fma(g, (values[(r * 8) + i] - average[i]) * scale[i], sumW[i]);
                }
            }
        }

        Shared<Float2> joined = Shared.Allocate<Float2>(GroupNormKernels.Warps * strip);
        for (int i = 0; i < width; i++)
        {
            joined[(Warp.Index * strip) + (Warp.Lane * width) + i] = new Float2(sumB[i], sumW[i]);
        }

        Group.Barrier();
        for (int c = Group.Thread; c < strip; c += Group.Size)
        {
            Float2 sum = GroupNormKernels.SumOfWarps(joined, strip, c);
            if ((Grid.IndexX * strip) + c < sizes.Channels)
            {
                long at = ((((long)Grid.IndexZ * Grid.SizeY) + Grid.IndexY) * sizes.Channels) + (Grid.IndexX * strip) + c;
                sumsB[at] = sum.X;
                sumsW[at] = sum.Y;
            }
        }
    }

    /// <summary>means[b, group] = mean(g) and mean(g x̂). Grid: groups of channels along x, samples along y.</summary>
    [Kernel(Name = "group_norm_gradient_join")]
    public static void Join(ReadOnlyView<float> sumsB, ReadOnlyView<float> sumsW, ReadOnlyView<float> w, View<Float2> means, GroupNormSizes sizes, int tiles, [Constant] bool hasW)
    {
        int width = sizes.Width.Divisor, first = Grid.IndexX * width;
        long start = ((long)Grid.IndexY * tiles * sizes.Channels) + first;
        Float2 sum = default;
        for (int i = Group.Thread; i < tiles * width; i += Group.Size)
        {
            int tile = sizes.Width.Divide(i), channel = i - (tile * width);
            long at = start + ((long)tile * sizes.Channels) + channel;
            float weight = hasW ? w[first + channel] : 1f;
            sum = new Float2(GpuMath.Fma(sumsB[at], weight, sum.X), GpuMath.Fma(sumsW[at], weight, sum.Y));
        }

        sum = GroupTeam.Sum(GroupTeam.Scratch(), sum);
        if (Group.Thread == 0)
        {
            float all = (float)sizes.Rows * width;
            means[(Grid.IndexY * Grid.SizeX) + Grid.IndexX] = new Float2(sum.X / all, sum.Y / all);
        }
    }

    /// <summary>gx = rstd (gy w − mean(g) − x̂ mean(g x̂)). Grid: strips along x, tiles along y, samples along z.</summary>
    [Kernel(Name = "group_norm_input_gradient")]
    public static void Input<TWord, TFormat>(
        ReadOnlyView<TWord> gy, ReadOnlyView<TWord> x, ReadOnlyView<float> w, ReadOnlyView<float> mean, ReadOnlyView<float> rstd, ReadOnlyView<Float2> means, View<TWord> gx,
        GroupNormSizes sizes, [Constant] bool vectors, [Constant] bool hasW)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int width = ConvChannels<TWord, TFormat>.Width(vectors), channel = GroupNormKernels.Channel(width);
        if (channel >= sizes.Channels)
        {
            return;
        }

        // gx = gy · ofGradient − x̂ · ofNormal − constant, all of them times rstd already
        Registers<float, N8> average = default, scale = default, ofGradient = default, ofNormal = default, constant = default;
        GroupNormKernels.LoadStatistics(mean, rstd, sizes, channel, width, ref average, ref scale);
        for (int i = 0; i < width; i++)
        {
            Float2 m = means[(Grid.IndexZ * sizes.Groups) + sizes.Width.Divide(channel + i)];
            ofGradient[i] = hasW ? scale[i] * w[channel + i] : scale[i];
            ofNormal[i] = scale[i] * scale[i] * m.Y;
            constant[i] = scale[i] * m.X;
        }

        int first = Grid.IndexY * sizes.TileRows, rows = Math.Min(sizes.TileRows, sizes.Rows - first);
        long start = ((((long)Grid.IndexZ * sizes.Rows) + first) * sizes.Channels) + channel;
        for (int t = Warp.Index; t < rows; t += GroupNormKernels.Warps * InFlight)
        {
            Registers<float, N32> given = default, values = default;
            Load<TWord, TFormat>(gy, x, start, t, rows, sizes, vectors, ref given, ref values);
            for (int r = 0; r < InFlight; r++)
            {
                Loop.Unroll();
                Registers<float, N8> result = default;
                for (int i = 0; i < width; i++)
                {
                    float rest = GpuMath.Fma(values[(r * 8) + i] - average[i], ofNormal[i], constant[i]);
                    result[i] = GpuMath.Fma(given[(r * 8) + i], ofGradient[i], -rest);
                }

                if (t + (r * GroupNormKernels.Warps) < rows)
                {
                    ConvChannels<TWord, TFormat>.Store(gx, start + ((long)(t + (r * GroupNormKernels.Warps)) * sizes.Channels), vectors, result);
                }
            }
        }
    }

    /// <summary>Row t of gy and x at a thread's channels, and the next three of its warp: all on their way before the first is used. Rows behind the last one are that one.</summary>
    private static void Load<TWord, TFormat>(
        ReadOnlyView<TWord> gy, ReadOnlyView<TWord> x, long start, int t, int rows, GroupNormSizes sizes, bool vectors, ref Registers<float, N32> given, ref Registers<float, N32> values)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        for (int r = 0; r < InFlight; r++)
        {
            Loop.Unroll();
            long at = start + ((long)Math.Min(t + (r * GroupNormKernels.Warps), rows - 1) * sizes.Channels);
            ConvChannels<TWord, TFormat>.Load(gy, at, r, vectors, ref given);
            ConvChannels<TWord, TFormat>.Load(x, at, r, vectors, ref values);
        }
    }
}
