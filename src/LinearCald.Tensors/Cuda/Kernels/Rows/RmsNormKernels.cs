using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>What the RMS norm kernels are told at launch: rows of equal groups, each normalised by itself. Pitches are elements from row to row.</summary>
internal struct RmsNormSizes
{
    public int Rows;

    /// <summary>Elements of a group.</summary>
    public int Size;

    public int Groups;
    public long PitchX;
    public long PitchZ;
    public long PitchGX;
    public long PitchGZ;

    /// <summary>Elements of a row.</summary>
    public readonly long Columns => (long)Groups * Size;
}

/// <summary>
/// y = w v rstd with v = x SiLU(z), or x, and rstd = 1/√(mean(v²) + ε) over each group of a row. The grid's second dimension is the group. A group stays in its
/// team's registers; one that does not fit is read twice. Floor: one read of x and z, one write of y.
/// </summary>
internal static class RmsNormKernels
{
    /// <summary>Normalises; rstd [rows, groups] is kept for the gradient.</summary>
    [Kernel(Name = "rms_norm")]
    public static void Forward<TWord, TFormat, TTeam, TCount>(
        ReadOnlyView<TWord> x, ReadOnlyView<TWord> z, ReadOnlyView<float> w, View<TWord> y, View<float> rstd, RmsNormSizes sizes, float epsilon,
        [Constant] RowAccess access, [Constant] bool wide, [Constant] bool gated)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int wanted = (Grid.IndexX * (Group.Size / TTeam.Threads)) + TTeam.Index;
        int row = Math.Min(wanted, sizes.Rows - 1), size = sizes.Size, span = RowTile<TWord, TFormat, TTeam, TCount>.Span;
        long column = (long)Grid.IndexY * size;
        ReadOnlyView<TWord> input = x.Slice((row * sizes.PitchX) + column, size);
        ReadOnlyView<TWord> gate = gated ? z.Slice((row * sizes.PitchZ) + column, size) : default;
        Registers<float, TCount> values = default, weight = default;
        int tiles = RowTile<TWord, TFormat, TTeam, TCount>.Tiles(size, wide);
        float squares = 0f;
        for (int tile = 0; tile < tiles; tile++)
        {
            Load<TWord, TFormat, TTeam, TCount>(input, gate, tile * span, size, access, gated, ref values);
            for (int i = 0; i < TCount.Value; i++)
            {
                squares = GpuMath.Fma(values[i], values[i], squares);
            }
        }

        float scale = RowNorm<TWord, TFormat, TTeam, TCount>.Reciprocal(TTeam.Sum(TTeam.Scratch(), squares), size, epsilon);
        if (wanted < sizes.Rows && TTeam.Rank == 0)
        {
            rstd[((long)row * sizes.Groups) + Grid.IndexY] = scale;
        }

        View<TWord> output = y.Slice((row * sizes.Columns) + column, size);
        for (int tile = 0; tile < tiles; tile++)
        {
            if (wide)
            {
                Load<TWord, TFormat, TTeam, TCount>(input, gate, tile * span, size, access, gated, ref values);
            }

            RowTile<TWord, TFormat, TTeam, TCount>.LoadParameter(w.Slice(column, size), tile * span, size, access, ref weight);
            for (int i = 0; i < TCount.Value; i++)
            {
                values[i] = values[i] * scale * weight[i];
            }

            RowTile<TWord, TFormat, TTeam, TCount>.Store(output, tile * span, size, wanted < sizes.Rows, access, ref values);
        }
    }

    /// <summary>Reads v; 0 beyond the group.</summary>
    private static void Load<TWord, TFormat, TTeam, TCount>(
        ReadOnlyView<TWord> x, ReadOnlyView<TWord> z, int first, int size, RowAccess access, bool gated, ref Registers<float, TCount> values)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        RowTile<TWord, TFormat, TTeam, TCount>.Load(x, first, size, 0f, access, ref values);
        if (gated)
        {
            Registers<float, TCount> gate = default;
            RowTile<TWord, TFormat, TTeam, TCount>.Load(z, first, size, 0f, access, ref gate);
            for (int i = 0; i < TCount.Value; i++)
            {
                values[i] *= gate[i] * DeviceMath.Sigmoid(gate[i]);
            }
        }
    }
}
