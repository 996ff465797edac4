using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Layer normalisation along the rows of [rows, columns], y = (x − μ) rstd w + b, alone and of a residual sum. A row stays in the registers of its team;
/// rows that do not fit are read once more a sweep. Statistics, w and b are float32. Floor: one read and one write of the matrix; two and two with a residual.
/// </summary>
internal static class LayerNormKernels
{
    /// <summary>Normalises; mean and rstd [rows] are kept for the gradient.</summary>
    [Kernel(Name = "layer_norm")]
    public static void Forward<TWord, TFormat, TTeam, TCount>(
        View<TWord> x, ReadOnlyView<float> w, ReadOnlyView<float> b, View<TWord> y, View<float> mean, View<float> rstd, int rows, int columns, float epsilon,
        [Constant] RowAccess access, [Constant] bool wide, [Constant] bool hasW, [Constant] bool hasB)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int wanted = (Grid.IndexX * (Group.Size / TTeam.Threads)) + TTeam.Index;
        int row = Math.Min(wanted, rows - 1);
        View<TWord> from = x.Slice((long)row * columns, columns);
        Registers<float, TCount> values = default;
        int tiles = RowTile<TWord, TFormat, TTeam, TCount>.Tiles(columns, wide);
        float sum = 0f;
        for (int tile = 0; tile < tiles; tile++)
        {
            RowTile<TWord, TFormat, TTeam, TCount>.Load(from, tile * RowTile<TWord, TFormat, TTeam, TCount>.Span, columns, 0f, access, ref values);
            sum += RowNorm<TWord, TFormat, TTeam, TCount>.Sum(ref values);
        }

        Normalise<TWord, TFormat, TTeam, TCount>(
            ref values, sum, from, w, b, y.Slice((long)row * columns, columns), mean, rstd, row, wanted < rows, columns, epsilon, access, wide, hasW, hasB);
    }

    /// <summary>sum = x + dropout(h), rounded to its type; y = the norm of that sum.</summary>
    [Kernel(Name = "residual_layer_norm")]
    public static void Residual<TWord, TFormat, TTeam, TCount>(
        View<TWord> x, View<TWord> h, ReadOnlyView<float> w, ReadOnlyView<float> b, View<TWord> total, View<TWord> y, View<float> mean, View<float> rstd,
        int rows, int columns, float epsilon, RowDropout dropout,
        [Constant] RowAccess access, [Constant] bool wide, [Constant] bool drop, [Constant] bool wholeGroups)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int wanted = (Grid.IndexX * (Group.Size / TTeam.Threads)) + TTeam.Index;
        int row = Math.Min(wanted, rows - 1);
        long start = (long)row * columns;
        View<TWord> from = x.Slice(start, columns);
        View<TWord> added = h.Slice(start, columns);
        View<TWord> to = total.Slice(start, columns);
        Registers<float, TCount> values = default;
        Registers<float, TCount> other = default;
        int tiles = RowTile<TWord, TFormat, TTeam, TCount>.Tiles(columns, wide);
        ulong stream = drop ? dropout.Key.Stream : 0UL;
        float sum = 0f;
        for (int tile = 0; tile < tiles; tile++)
        {
            int first = tile * RowTile<TWord, TFormat, TTeam, TCount>.Span;
            RowTile<TWord, TFormat, TTeam, TCount>.Load(from, first, columns, 0f, access, ref values);
            RowTile<TWord, TFormat, TTeam, TCount>.Load(added, first, columns, 0f, access, ref other);
            if (drop)
            {
                RowDropoutMask<TWord, TFormat, TTeam, TCount>.Apply(dropout, stream, start, first, access, wholeGroups, ref other);
            }

            for (int i = 0; i < TCount.Value; i++)
            {
                values[i] = TFormat.Widen(TFormat.Narrow(values[i] + other[i]));
            }

            RowTile<TWord, TFormat, TTeam, TCount>.Store(to, first, columns, wanted < rows, access, ref values);
            sum += RowNorm<TWord, TFormat, TTeam, TCount>.Sum(ref values);
        }

        Normalise<TWord, TFormat, TTeam, TCount>(
            ref values, sum, to, w, b, y.Slice(start, columns), mean, rstd, row, wanted < rows, columns, epsilon, access, wide, true, true);
    }

    // Every element is read back by the thread that wrote it, so that a residual sum needs no barrier.
    private static void Normalise<TWord, TFormat, TTeam, TCount>(
        ref Registers<float, TCount> values, float sum, View<TWord> from, ReadOnlyView<float> w, ReadOnlyView<float> b, View<TWord> to, View<float> mean,
        View<float> rstd, int row, bool active, int columns, float epsilon, RowAccess access, bool wide, bool hasW, bool hasB)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int tiles = RowTile<TWord, TFormat, TTeam, TCount>.Tiles(columns, wide);
        int span = RowTile<TWord, TFormat, TTeam, TCount>.Span;
        float average = TTeam.Sum(TTeam.Scratch(), sum) / columns;
        float squares = 0f;
        for (int tile = 0; tile < tiles; tile++)
        {
            if (wide)
            {
                RowTile<TWord, TFormat, TTeam, TCount>.Load(from, tile * span, columns, 0f, access, ref values);
            }

            squares += RowNorm<TWord, TFormat, TTeam, TCount>.SquaredDeviations(ref values, average, tile * span, columns, access);
        }

        squares = TTeam.Sum(TTeam.Scratch(), squares);
        float scale = RowNorm<TWord, TFormat, TTeam, TCount>.Reciprocal(squares, columns, epsilon);
        if (active && TTeam.Rank == 0)
        {
            mean[row] = average;
            rstd[row] = scale;
        }

        Registers<float, TCount> weight = default;
        Registers<float, TCount> bias = default;
        for (int tile = 0; tile < tiles; tile++)
        {
            if (wide)
            {
                RowTile<TWord, TFormat, TTeam, TCount>.Load(from, tile * span, columns, 0f, access, ref values);
            }

            if (hasW)
            {
                RowTile<TWord, TFormat, TTeam, TCount>.LoadParameter(w, tile * span, columns, access, ref weight);
            }

            if (hasB)
            {
                RowTile<TWord, TFormat, TTeam, TCount>.LoadParameter(b, tile * span, columns, access, ref bias);
            }

            for (int i = 0; i < TCount.Value; i++)
            {
                float normal = (values[i] - average) * scale;
                float weighted = hasW ? normal * weight[i] : normal;
                values[i] = hasW && hasB ? GpuMath.Fma(normal, weight[i], bias[i]) : hasB ? normal + bias[i] : weighted;
            }

            RowTile<TWord, TFormat, TTeam, TCount>.Store(to, tile * span, columns, active, access, ref values);
        }
    }
}
