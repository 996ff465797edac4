using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Cross-entropy of logits [rows, classes] with one label a row, lse(x) − x[label], and its gradient. The forward is one online pass, so that rows of any
/// width are read once. A label that is no class gives NaN: a kernel cannot complain. Floor: one read forward, one read and one write backward.
/// </summary>
internal static class CrossEntropyKernels
{
    /// <summary>losses[row] and lse[row]; both 0 where the label is to be ignored.</summary>
    [Kernel(Name = "cross_entropy")]
    public static void Forward<TWord, TFormat, TTeam, TCount>(
        ReadOnlyView<TWord> logits, ReadOnlyView<int> labels, View<float> lse, View<double> losses, int rows, int classes, int ignore,
        [Constant] RowAccess access, [Constant] bool wide)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int wanted = (Grid.IndexX * (Group.Size / TTeam.Threads)) + TTeam.Index;
        int row = Math.Min(wanted, rows - 1);
        int label = labels[row];
        bool counts = label != ignore;
        ReadOnlyView<TWord> from = logits.Slice((long)row * classes, classes);
        Registers<float, TCount> values = default;
        int tiles = RowTile<TWord, TFormat, TTeam, TCount>.Tiles(classes, wide);
        if (wide)
        {
            tiles = counts ? tiles : 0;
        }

        float largest = float.NegativeInfinity;
        float sum = 0f;
        for (int tile = 0; tile < tiles; tile++)
        {
            RowTile<TWord, TFormat, TTeam, TCount>.Load(from, tile * RowTile<TWord, TFormat, TTeam, TCount>.Span, classes, float.NegativeInfinity, access, ref values);
            OnlineSum.Add(ref values, 1f, ref largest, ref sum);
        }

        OnlineSum.Merge<TTeam>(1f, ref largest, ref sum);
        if (TTeam.Rank == 0 && wanted < rows)
        {
            bool valid = label >= 0 && label < classes;
            float chosen = TFormat.Widen(from[valid ? label : 0]);
            float log = GpuMath.Log(sum);
            lse[row] = counts ? largest + log : 0f;
            losses[row] = !counts ? 0f : valid ? log - (chosen - largest) : float.NaN;
        }
    }

    /// <summary>loss = Σ losses, divided by the rows that count if <paramref name="mean"/>; one group.</summary>
    [Kernel(Name = "cross_entropy_total")]
    public static void Total(ReadOnlyView<double> losses, ReadOnlyView<int> labels, int rows, int ignore, View<float> loss, [Constant] bool mean)
    {
        double sum = TotalKernels.OfGroup(TotalKernels.OfThread(losses, rows));
        double counted = mean ? TotalKernels.OfGroup(Counted(labels, rows, ignore)) : 1.0;
        if (Group.Thread == 0)
        {
            loss[0] = (float)(sum / counted);
        }
    }

    /// <summary>scale = gloss, divided by the rows that count if <paramref name="mean"/>; one group.</summary>
    [Kernel(Name = "cross_entropy_scale")]
    public static void Scale(ReadOnlyView<float> gloss, ReadOnlyView<int> labels, int rows, int ignore, View<float> scale, [Constant] bool mean)
    {
        double counted = mean ? TotalKernels.OfGroup(Counted(labels, rows, ignore)) : 1.0;
        if (Group.Thread == 0)
        {
            scale[0] = (float)(gloss[0] / counted);
        }
    }

    /// <summary>factors = 1/counted for the sum of losses, and for its gradients the same but finite where no row counts; both 1 without <paramref name="mean"/>; one group.</summary>
    [Kernel(Name = "cross_entropy_factors")]
    public static void Factors(ReadOnlyView<int> labels, int rows, int ignore, View<float> factors, [Constant] bool mean)
    {
        double counted = mean ? TotalKernels.OfGroup(Counted(labels, rows, ignore)) : 1.0;
        if (Group.Thread == 0)
        {
            factors[0] = (float)(1.0 / counted);
            factors[1] = (float)(1.0 / Math.Max(1.0, counted));
        }
    }

    /// <summary>glogits = (e^(x − lse) − onehot(label)) · scale; 0 where the label is to be ignored. glogits may be logits.</summary>
    [Kernel(Name = "cross_entropy_gradient")]
    public static void Backward<TWord, TFormat, TTeam, TCount>(
        View<TWord> logits, ReadOnlyView<int> labels, ReadOnlyView<float> lse, ReadOnlyView<float> scale, View<TWord> glogits, int rows, int classes, int ignore,
        [Constant] RowAccess access, [Constant] bool wide)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int wanted = (Grid.IndexX * (Group.Size / TTeam.Threads)) + TTeam.Index;
        int row = Math.Min(wanted, rows - 1);
        int label = labels[row];
        bool counts = label != ignore;
        float normaliser = lse[row];
        float factor = label >= 0 && label < classes ? scale[0] : float.NaN;
        View<TWord> from = logits.Slice((long)row * classes, classes);
        View<TWord> to = glogits.Slice((long)row * classes, classes);
        Registers<float, TCount> values = default;
        int tiles = RowTile<TWord, TFormat, TTeam, TCount>.Tiles(classes, wide);
        for (int tile = 0; tile < tiles; tile++)
        {
            int first = tile * RowTile<TWord, TFormat, TTeam, TCount>.Span;
            if (counts)
            {
                RowTile<TWord, TFormat, TTeam, TCount>.Load(from, first, classes, 0f, access, ref values);
                Differences<TWord, TFormat, TTeam, TCount>(first, label, normaliser, factor, access, ref values);
            }
            else
            {
                values.Fill(0f);
            }

            RowTile<TWord, TFormat, TTeam, TCount>.Store(to, first, classes, wanted < rows, access, ref values);
        }
    }

    /// <summary>The same from float32 logits into a gradient of 16-bit elements, for the products that come next.</summary>
    [Kernel(Name = "cross_entropy_gradient_rounded")]
    public static void BackwardRounded<TWord, TFormat, TOut, TOutFormat, TTeam, TCount>(
        ReadOnlyView<TWord> logits, ReadOnlyView<int> labels, ReadOnlyView<float> lse, ReadOnlyView<float> scale, View<TOut> glogits, int rows, int classes, int ignore,
        [Constant] RowAccess access, [Constant] bool wide)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TOut : unmanaged
        where TOutFormat : struct, IElementFormat<TOut>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int wanted = (Grid.IndexX * (Group.Size / TTeam.Threads)) + TTeam.Index;
        int row = Math.Min(wanted, rows - 1);
        int label = labels[row];
        bool counts = label != ignore;
        float normaliser = lse[row];
        float factor = label >= 0 && label < classes ? scale[0] : float.NaN;
        ReadOnlyView<TWord> from = logits.Slice((long)row * classes, classes);
        View<TOut> to = glogits.Slice((long)row * classes, classes);
        Registers<float, TCount> values = default;
        int tiles = RowTile<TWord, TFormat, TTeam, TCount>.Tiles(classes, wide);
        for (int tile = 0; tile < tiles; tile++)
        {
            int first = tile * RowTile<TWord, TFormat, TTeam, TCount>.Span;
            if (counts)
            {
                RowTile<TWord, TFormat, TTeam, TCount>.Load(from, first, classes, 0f, access, ref values);
                Differences<TWord, TFormat, TTeam, TCount>(first, label, normaliser, factor, access, ref values);
            }
            else
            {
                values.Fill(0f);
            }

            RowTile<TWord, TFormat, TTeam, TCount>.StoreRounded<TOut, TOutFormat>(to, first, classes, wanted < rows, access, ref values);
        }
    }

    /// <summary>x becomes (e^(x − lse) − onehot(label)) · factor.</summary>
    private static void Differences<TWord, TFormat, TTeam, TCount>(int first, int label, float normaliser, float factor, RowAccess access, ref Registers<float, TCount> values)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        for (int i = 0; i < TCount.Value; i++)
        {
            float p = GpuMath.Exp(values[i] - normaliser);
            values[i] = (RowTile<TWord, TFormat, TTeam, TCount>.ColumnOf(first, i, access) == label ? p - 1f : p) * factor;
        }
    }

    private static double Counted(ReadOnlyView<int> labels, int rows, int ignore)
    {
        int counted = 0;
        for (int i = Group.Thread; i < rows; i += Group.Size)
        {
            counted += labels[i] != ignore ? 1 : 0;
        }

        return counted;
    }
}
