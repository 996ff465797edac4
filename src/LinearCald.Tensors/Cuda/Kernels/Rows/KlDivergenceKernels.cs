using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Distance of a student's distribution to a teacher's, both softmax(logits / β) of [rows, classes]: Σ p_T (log p_T − log p_S), and its gradient by the
/// student's logits, (p_S − p_T) / β. The forward is one online pass: with A = Σ e^((t − max t) / β) (t − s) / β the distance is A / Σ e^((t − max t) / β) − lse(t / β)
/// + lse(s / β). A logit of −∞ is a class that cannot be. Floor: one read of both; the gradient a write more.
/// </summary>
internal static class KlDivergenceKernels
{
    /// <summary>terms[row] = the row's distance.</summary>
    [Kernel(Name = "kl_divergence")]
    public static void Forward<TWord, TFormat, TTeam, TCount>(
        View<TWord> student, View<TWord> teacher, View<double> terms, int rows, int classes, float inverse, [Constant] RowAccess access, [Constant] bool wide)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int wanted = (Grid.IndexX * (Group.Size / TTeam.Threads)) + TTeam.Index;
        long start = (long)Math.Min(wanted, rows - 1) * classes;
        Registers<float, TCount> s = default;
        Registers<float, TCount> t = default;
        int tiles = RowTile<TWord, TFormat, TTeam, TCount>.Tiles(classes, wide);
        float largestS = float.NegativeInfinity;
        float largestT = float.NegativeInfinity;
        float sumS = 0f;
        float sumT = 0f;
        float distance = 0f;
        for (int tile = 0; tile < tiles; tile++)
        {
            int first = tile * RowTile<TWord, TFormat, TTeam, TCount>.Span;
            RowTile<TWord, TFormat, TTeam, TCount>.Load(student.Slice(start, classes), first, classes, float.NegativeInfinity, access, ref s);
            RowTile<TWord, TFormat, TTeam, TCount>.Load(teacher.Slice(start, classes), first, classes, float.NegativeInfinity, access, ref t);
            OnlineSum.Add(ref s, inverse, ref largestS, ref sumS);

            float before = largestT;
            for (int i = 0; i < TCount.Value; i++)
            {
                largestT = MathF.Max(largestT, t[i]);
            }

            float origin = OnlineSum.Origin(largestT);
            float rescale = GpuMath.Exp((before - origin) * inverse);
            sumT *= rescale;
            distance *= rescale;
            for (int i = 0; i < TCount.Value; i++)
            {
                float e = GpuMath.Exp((t[i] - origin) * inverse);
                sumT += e;
                float term = e * ((t[i] - s[i]) * inverse);
                distance += e == 0f ? 0f : term;
            }
        }

        Float2 largest = TTeam.Max(TTeam.Scratch(), new Float2(largestS, largestT));
        float scaleT = GpuMath.Exp((largestT - largest.Y) * inverse);
        sumS = TTeam.Sum(TTeam.Scratch(), sumS * GpuMath.Exp((largestS - largest.X) * inverse));
        float own = scaleT == 0f ? 0f : distance * scaleT;
        Float2 sums = TTeam.Sum(TTeam.Scratch(), new Float2(sumT * scaleT, own));
        if (TTeam.Rank == 0 && wanted < rows)
        {
            terms[wanted] = (sums.Y / sums.X) - ((largest.Y - largest.X) * inverse) - GpuMath.Log(sums.X) + GpuMath.Log(sumS);
        }
    }

    /// <summary>gstudent = factor · gloss · (p_S − p_T); gstudent may be student.</summary>
    [Kernel(Name = "kl_divergence_gradient")]
    public static void Backward<TWord, TFormat, TTeam, TCount>(
        View<TWord> student, View<TWord> teacher, ReadOnlyView<float> gloss, View<TWord> gstudent, int rows, int classes, float inverse, float factor,
        [Constant] RowAccess access, [Constant] bool wide)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int wanted = (Grid.IndexX * (Group.Size / TTeam.Threads)) + TTeam.Index;
        long start = (long)Math.Min(wanted, rows - 1) * classes;
        Registers<float, TCount> s = default;
        Registers<float, TCount> t = default;
        int tiles = RowTile<TWord, TFormat, TTeam, TCount>.Tiles(classes, wide);
        int span = RowTile<TWord, TFormat, TTeam, TCount>.Span;
        float largestS = float.NegativeInfinity;
        float largestT = float.NegativeInfinity;
        float sumS = 0f;
        float sumT = 0f;
        for (int tile = 0; tile < tiles; tile++)
        {
            RowTile<TWord, TFormat, TTeam, TCount>.Load(student.Slice(start, classes), tile * span, classes, float.NegativeInfinity, access, ref s);
            RowTile<TWord, TFormat, TTeam, TCount>.Load(teacher.Slice(start, classes), tile * span, classes, float.NegativeInfinity, access, ref t);
            OnlineSum.Add(ref s, inverse, ref largestS, ref sumS);
            OnlineSum.Add(ref t, inverse, ref largestT, ref sumT);
        }

        OnlineSum.Merge<TTeam>(inverse, ref largestS, ref sumS);
        OnlineSum.Merge<TTeam>(inverse, ref largestT, ref sumT);
        float scale = factor * gloss[0];
        float scaleS = scale / sumS;
        float scaleT = scale / sumT;
        for (int tile = 0; tile < tiles; tile++)
        {
            if (wide)
            {
                RowTile<TWord, TFormat, TTeam, TCount>.Load(student.Slice(start, classes), tile * span, classes, float.NegativeInfinity, access, ref s);
                RowTile<TWord, TFormat, TTeam, TCount>.Load(teacher.Slice(start, classes), tile * span, classes, float.NegativeInfinity, access, ref t);
            }

            for (int i = 0; i < TCount.Value; i++)
            {
                s[i] = (GpuMath.Exp((s[i] - largestS) * inverse) * scaleS) - (GpuMath.Exp((t[i] - largestT) * inverse) * scaleT);
            }

            RowTile<TWord, TFormat, TTeam, TCount>.Store(gstudent.Slice(start, classes), tile * span, classes, wanted < rows, access, ref s);
        }
    }
}
