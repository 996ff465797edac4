using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Of each row of logits [rows, classes]: x[label] − lse(x), and the first of the largest elements. One online pass, so that rows of any width are read once.
/// A label that is no class gives NaN: a kernel cannot complain. Floor: one read.
/// </summary>
internal static class LabelScoreKernels
{
    /// <summary>likelihoods[row] and best[row].</summary>
    [Kernel(Name = "label_scores")]
    public static void Forward<TWord, TFormat, TTeam, TCount>(
        ReadOnlyView<TWord> logits, ReadOnlyView<int> labels, View<float> likelihoods, View<int> best, int rows, int classes,
        [Constant] RowAccess access, [Constant] bool wide)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int wanted = (Grid.IndexX * (Group.Size / TTeam.Threads)) + TTeam.Index;
        int row = Math.Min(wanted, rows - 1);
        int label = labels[row];
        ReadOnlyView<TWord> from = logits.Slice((long)row * classes, classes);
        Registers<float, TCount> values = default;
        int tiles = RowTile<TWord, TFormat, TTeam, TCount>.Tiles(classes, wide);
        float largest = float.NegativeInfinity;
        float sum = 0f;
        float top = float.NegativeInfinity;
        int column = 0;
        for (int tile = 0; tile < tiles; tile++)
        {
            int first = tile * RowTile<TWord, TFormat, TTeam, TCount>.Span;
            RowTile<TWord, TFormat, TTeam, TCount>.Load(from, first, classes, float.NegativeInfinity, access, ref values);
            OnlineSum.Add(ref values, 1f, ref largest, ref sum);

            // A thread meets its columns in rising order, so the first of equal ones stays.
            for (int i = 0; i < TCount.Value; i++)
            {
                bool higher = values[i] > top;
                column = higher ? RowTile<TWord, TFormat, TTeam, TCount>.ColumnOf(first, i, access) : column;
                top = higher ? values[i] : top;
            }
        }

        OnlineSum.Merge<TTeam>(1f, ref largest, ref sum);

        // The lowest column among the threads that hold the maximum: as the largest of −column.
        float lowest = -TTeam.Max(TTeam.Scratch(), top == largest ? -(float)column : float.NegativeInfinity);
        if (TTeam.Rank == 0 && wanted < rows)
        {
            bool valid = label >= 0 && label < classes;
            float chosen = TFormat.Widen(from[valid ? label : 0]);
            likelihoods[row] = valid ? chosen - largest - GpuMath.Log(sum) : float.NaN;
            best[row] = lowest < classes ? (int)lowest : 0;
        }
    }
}
