using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// KL(p_T ‖ p_S) of softmax distributions softened by a temperature, row by row. Two passes over each row: the normalisers, then the terms. A probability of 0 in the
/// teacher adds nothing.
/// </summary>
internal static unsafe class KlDivergenceKernel
{
    /// <summary>loss = scale · Σ over rows and classes of p_T (log p_T − log p_S).</summary>
    /// <param name="student">Logits [rows, classes].</param>
    /// <param name="teacher">Logits [rows, classes].</param>
    /// <param name="rows">Number of distributions.</param>
    /// <param name="classes">Their length.</param>
    /// <param name="temperature">Logits are divided by it.</param>
    /// <param name="scale">Factor on the sum.</param>
    /// <param name="loss">One number.</param>
    public static void Forward<T>(T* student, T* teacher, long rows, int classes, T temperature, T scale, T* loss)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        *loss = T.CreateTruncating(RowSum.Of(rows, classes, new Row<T>(student, teacher, classes, T.One / temperature))) * scale;

    /// <summary>gstudent = gloss · scale · (p_S − p_T) / temperature.</summary>
    public static void Gradient<T>(T* student, T* teacher, long rows, int classes, T temperature, T scale, T gloss, T* gstudent)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int size = Cut.Rows(classes);
        T inverse = T.One / temperature;
        WorkerPool.Shared.For(
            Cut.Pieces(rows, size), new GradientPiece<T>(student, teacher, rows, classes, inverse, gloss * scale * inverse, gstudent, size));
    }

    private readonly struct Row<T>(T* student, T* teacher, int classes, T inverse) : IRowTerm
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public double Term(long row)
        {
            T* s = student + (row * classes);
            T* t = teacher + (row * classes);
            LogSumExp<T> ofS = LogSumExp<T>.Of(s, classes, inverse);
            LogSumExp<T> ofT = LogSumExp<T>.Of(t, classes, inverse);
            double total = 0;
            for (int c = 0; c < classes; c++)
            {
                T logT = ((t[c] - ofT.Maximum) * inverse) - ofT.Log;
                T logS = ((s[c] - ofS.Maximum) * inverse) - ofS.Log;
                T p = T.Exp(logT);
                total += p == T.Zero ? 0 : double.CreateTruncating(p * (logT - logS));
            }

            return total;
        }
    }

    private readonly struct GradientPiece<T>(T* student, T* teacher, long rows, int classes, T inverse, T factor, T* gradient, int size) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            for (long row = (long)index * size; row < Math.Min(((long)index + 1) * size, rows); row++)
            {
                T* s = student + (row * classes);
                T* t = teacher + (row * classes);
                T* g = gradient + (row * classes);
                LogSumExp<T> ofS = LogSumExp<T>.Of(s, classes, inverse);
                LogSumExp<T> ofT = LogSumExp<T>.Of(t, classes, inverse);
                for (int c = 0; c < classes; c++)
                {
                    T p = T.Exp(((s[c] - ofS.Maximum) * inverse) - ofS.Log);
                    T q = T.Exp(((t[c] - ofT.Maximum) * inverse) - ofT.Log);
                    g[c] = factor * (p - q);
                }
            }
        }
    }
}
