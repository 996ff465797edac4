using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// The gradient of <see cref="RmsNormKernels"/>: with g = gy w, dv = rstd (g − v rstd² mean(g v)), gx = dv SiLU(z), gz = dv x SiLU′(z), gw = Σ gy v rstd over the
/// rows. Teams go over many rows each and keep their part of gw in registers; the groups' partial sums are added in order. Floor: a read of gy, x and z, a
/// write of gx and gz.
/// </summary>
internal static class RmsNormGradientKernels
{
    /// <summary>Input gradients, and this group's partial sums of gw, for rows that fit into registers.</summary>
    /// <param name="partial">[groups along x, columns].</param>
    /// <param name="rounds">Rows of a team, the last of which may lie beyond the matrix.</param>
    [Kernel(Name = "rms_norm_gradient")]
    public static void Backward<TWord, TFormat, TTeam, TCount>(
        ReadOnlyView<TWord> gy, ReadOnlyView<TWord> x, ReadOnlyView<TWord> z, ReadOnlyView<float> w, ReadOnlyView<float> rstd, View<TWord> gx, View<TWord> gz,
        View<float> partial, RmsNormSizes sizes, int rounds, [Constant] RowAccess access, [Constant] RmsNormOutputs outputs)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int teams = Group.Size / TTeam.Threads, size = sizes.Size;
        long column = (long)Grid.IndexY * size;
        Registers<float, TCount> weight = default, sums = default, input = default, gate = default, gradient = default;
        sums.Fill(0f);
        RowTile<TWord, TFormat, TTeam, TCount>.LoadParameter(w.Slice(column, size), 0, size, access, ref weight);

        // Two sets in turn, so that one barrier a row is enough.
        Shared<Float2> even = TTeam.Scratch();
        Shared<Float2> odd = TTeam.Scratch();
        for (int round = 0; round < rounds; round++)
        {
            Loop.Keep();
            int wanted = (((round * Grid.SizeX) + Grid.IndexX) * teams) + TTeam.Index;
            int row = Math.Min(wanted, sizes.Rows - 1);
            bool active = wanted < sizes.Rows;
            Load<TWord, TFormat, TTeam, TCount>(gy, x, z, sizes, row, column, 0, access, outputs, ref input, ref gate, ref gradient);
            float scale = rstd[((long)row * sizes.Groups) + Grid.IndexY];
            float projection = 0f;
            for (int i = 0; i < TCount.Value; i++)
            {
                float product = gradient[i] * Gated(outputs, input[i], gate[i]);
                sums[i] = active ? GpuMath.Fma(product, scale, sums[i]) : sums[i];
                projection = GpuMath.Fma(product, weight[i], projection);
            }

            if (outputs.X || outputs.Z)
            {
                float slope = TTeam.Sum((round & 1) == 0 ? even : odd, projection) / size * scale * scale;
                Store<TWord, TFormat, TTeam, TCount>(gx, gz, sizes, row, column, 0, active, scale, slope, access, outputs, ref input, ref gate, ref gradient, ref weight);
            }
        }

        if (outputs.W)
        {
            View<float> to = partial.Slice((Grid.IndexX * sizes.Columns) + column, size);
            if (TTeam.IsGroup)
            {
                LayerNormGradientKernels.StorePartial<TWord, TFormat, TTeam, TCount>(ref sums, to, size, access);
            }
            else
            {
                LayerNormGradientKernels.JoinTeams<TWord, TFormat, TTeam, TCount>(ref sums, Shared.Allocate<float>(Group.Size * TCount.Value), to, size, access);
            }
        }
    }

    /// <summary>Input gradients alone, for rows of any width; one group a row.</summary>
    [Kernel(Name = "rms_norm_input_gradient")]
    public static void WideInput<TWord, TFormat, TTeam, TCount>(
        ReadOnlyView<TWord> gy, ReadOnlyView<TWord> x, ReadOnlyView<TWord> z, ReadOnlyView<float> w, ReadOnlyView<float> rstd, View<TWord> gx, View<TWord> gz,
        RmsNormSizes sizes, [Constant] RowAccess access, [Constant] RmsNormOutputs outputs)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int row = Grid.IndexX, size = sizes.Size, span = RowTile<TWord, TFormat, TTeam, TCount>.Span;
        int tiles = RowTile<TWord, TFormat, TTeam, TCount>.Tiles(size, true);
        long column = (long)Grid.IndexY * size;
        Registers<float, TCount> weight = default, input = default, gate = default, gradient = default;
        float scale = rstd[((long)row * sizes.Groups) + Grid.IndexY];
        float projection = 0f;
        for (int tile = 0; tile < tiles; tile++)
        {
            Load<TWord, TFormat, TTeam, TCount>(gy, x, z, sizes, row, column, tile * span, access, outputs, ref input, ref gate, ref gradient);
            RowTile<TWord, TFormat, TTeam, TCount>.LoadParameter(w.Slice(column, size), tile * span, size, access, ref weight);
            for (int i = 0; i < TCount.Value; i++)
            {
                projection = GpuMath.Fma(gradient[i] * Gated(outputs, input[i], gate[i]), weight[i], projection);
            }
        }

        float slope = TTeam.Sum(TTeam.Scratch(), projection) / size * scale * scale;
        for (int tile = 0; tile < tiles; tile++)
        {
            Load<TWord, TFormat, TTeam, TCount>(gy, x, z, sizes, row, column, tile * span, access, outputs, ref input, ref gate, ref gradient);
            RowTile<TWord, TFormat, TTeam, TCount>.LoadParameter(w.Slice(column, size), tile * span, size, access, ref weight);
            Store<TWord, TFormat, TTeam, TCount>(
                gx, gz, sizes, row, column, tile * span, true, scale, slope, access, outputs, ref input, ref gate, ref gradient, ref weight);
        }
    }

    /// <summary>Partial sums of gw for rows of any width: a thread a column, rows IndexY, IndexY + SizeY, …</summary>
    [Kernel(Name = "rms_norm_parameter_gradient")]
    public static void WideParameters<TWord, TFormat>(
        ReadOnlyView<TWord> gy, ReadOnlyView<TWord> x, ReadOnlyView<TWord> z, ReadOnlyView<float> rstd, View<float> partial, RmsNormSizes sizes, FastDivisor size,
        [Constant] RmsNormOutputs outputs)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int column = Grid.ThreadX;
        if (column < sizes.Columns)
        {
            float sum = 0f;
            for (int row = Grid.IndexY; row < sizes.Rows; row += Grid.SizeY)
            {
                float gate = outputs.Gated ? TFormat.Widen(z[(row * sizes.PitchZ) + column]) : 0f;
                float v = Gated(outputs, TFormat.Widen(x[(row * sizes.PitchX) + column]), gate);
                sum = GpuMath.Fma(TFormat.Widen(gy[(row * sizes.Columns) + column]) * v, rstd[((long)row * sizes.Groups) + size.Divide(column)], sum);
            }

            partial[(Grid.IndexY * sizes.Columns) + column] = sum;
        }
    }

    private static float Gated(RmsNormOutputs outputs, float x, float z) => outputs.Gated ? x * (z * DeviceMath.Sigmoid(z)) : x;

    private static void Load<TWord, TFormat, TTeam, TCount>(
        ReadOnlyView<TWord> gy, ReadOnlyView<TWord> x, ReadOnlyView<TWord> z, in RmsNormSizes sizes, int row, long column, int first, RowAccess access,
        RmsNormOutputs outputs, ref Registers<float, TCount> input, ref Registers<float, TCount> gate, ref Registers<float, TCount> gradient)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int size = sizes.Size;
        RowTile<TWord, TFormat, TTeam, TCount>.Load(x.Slice((row * sizes.PitchX) + column, size), first, size, 0f, access, ref input);
        if (outputs.Gated)
        {
            RowTile<TWord, TFormat, TTeam, TCount>.Load(z.Slice((row * sizes.PitchZ) + column, size), first, size, 0f, access, ref gate);
        }

        RowTile<TWord, TFormat, TTeam, TCount>.Load(gy.Slice((row * sizes.Columns) + column, size), first, size, 0f, access, ref gradient);
    }

    private static void Store<TWord, TFormat, TTeam, TCount>(
        View<TWord> gx, View<TWord> gz, in RmsNormSizes sizes, int row, long column, int first, bool active, float scale, float slope, RowAccess access,
        RmsNormOutputs outputs, ref Registers<float, TCount> input, ref Registers<float, TCount> gate, ref Registers<float, TCount> gradient, ref Registers<float, TCount> weight)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int size = sizes.Size;
        for (int i = 0; i < TCount.Value; i++)
        {
            float x = input[i], sigmoid = outputs.Gated ? DeviceMath.Sigmoid(gate[i]) : 1f, silu = outputs.Gated ? gate[i] * sigmoid : 1f;
            float d = scale * GpuMath.Fma(-x * silu, slope, gradient[i] * weight[i]);
            gradient[i] = d * silu;
            gate[i] = outputs.Z ? d * x * GpuMath.Fma(silu, 1f - sigmoid, sigmoid) : 0f;
        }

        if (outputs.X)
        {
            RowTile<TWord, TFormat, TTeam, TCount>.Store(gx.Slice((row * sizes.PitchGX) + column, size), first, size, active, access, ref gradient);
        }

        if (outputs.Z)
        {
            RowTile<TWord, TFormat, TTeam, TCount>.Store(gz.Slice((row * sizes.PitchGZ) + column, size), first, size, active, access, ref gate);
        }
    }
}

/// <summary>What the gradient is compiled for.</summary>
/// <param name="Gated">Whether there is a gate z.</param>
/// <param name="X">Whether the gradient of x is wanted.</param>
/// <param name="Z">Whether that of z is.</param>
/// <param name="W">Whether that of the weight is.</param>
internal readonly record struct RmsNormOutputs(bool Gated, bool X, bool Z, bool W);
