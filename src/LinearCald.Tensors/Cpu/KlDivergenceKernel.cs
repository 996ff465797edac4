using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Distance of a student's distribution to a teacher's, both given by logits [rows, classes]: scale · Σ p_T (log p_T − log p_S) with
/// p = softmax(logits/β), over all rows and classes (Hinton et al. 2015 use scale β², over the number of rows). A logit of −∞ is a class
/// that cannot be: where the teacher's is, the class adds nothing; where only the student's is, the distance is infinite.
/// </summary>
internal static unsafe class KlDivergenceKernel
{
    /// <summary>Writes the loss. Every row is read three times, twice of them from the cache.</summary>
    /// <param name="temperature">β &gt; 0.</param>
    /// <param name="loss">One number.</param>
    public static void Forward<T>(T* student, T* teacher, long rows, int classes, T temperature, T scale, T* loss)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double total = RowSum.Of(rows, 2L * classes, new RowDivergence<T>(student, teacher, classes, T.One / temperature));
        *loss = T.CreateTruncating(double.CreateTruncating(scale) * total);
    }

    /// <summary>gstudent = gloss · scale · (p_S − p_T)/β.</summary>
    /// <param name="gloss">Gradient of the loss.</param>
    /// <param name="gstudent">[rows, classes]; may be <paramref name="student"/>.</param>
    public static void Gradient<T>(T* student, T* teacher, long rows, int classes, T temperature, T scale, T gloss, T* gstudent)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int size = Cut.Rows(2L * classes);
        T inverse = T.One / temperature;
        WorkerPool.Shared.For(
            Cut.Pieces(rows, size), new GradientPiece<T>(student, teacher, rows, classes, inverse, gloss * scale * inverse, gstudent, size));
    }

    private readonly struct RowDivergence<T>(T* student, T* teacher, int classes, T inverse) : IRowTerm
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public double Term(long row) => double.CreateTruncating(SimdLoop.Sum<T, Divergence<T>>(
            0, classes, new(new(student + (row * classes), classes, inverse), new(teacher + (row * classes), classes, inverse))));
    }

    private readonly struct GradientPiece<T>(
        T* student, T* teacher, long rows, int classes, T inverse, T factor, T* gstudent, int size) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long from = (long)index * size, to = Math.Min(from + size, rows);
            for (long row = from; row < to; row++)
            {
                LogSoftmax<T> s = new(student + (row * classes), classes, inverse), t = new(teacher + (row * classes), classes, inverse);
                SimdLoop.For<T, DifferenceOfProbabilities<T>>(0, classes, new(s, t, factor, gstudent + (row * classes)));
            }
        }
    }

    /// <summary>log p of one row: (x − maximum)/β − log Σ exp((x − maximum)/β).</summary>
    private readonly struct LogSoftmax<T>(T* x, int classes, T inverse)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private readonly LogSumExp<T> _normaliser = LogSumExp<T>.Of(x, classes, inverse);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV At<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> =>
            ((TV.Load(x + i) - TV.Broadcast(_normaliser.Maximum)) * TV.Broadcast(inverse)) - TV.Broadcast(_normaliser.Log);
    }

    private readonly struct Divergence<T>(LogSoftmax<T> student, LogSoftmax<T> teacher) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV log = teacher.At<TV>(i);
            TV p = VectorMath.Exp<TV, T>(log);
            TV zero = TV.Of(0.0);
            return soFar + TV.Select(TV.Equal(p, zero), zero, p * (log - student.At<TV>(i)));
        }
    }

    private readonly struct DifferenceOfProbabilities<T>(LogSoftmax<T> student, LogSoftmax<T> teacher, T factor, T* g) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> =>
            ((VectorMath.Exp<TV, T>(student.At<TV>(i)) - VectorMath.Exp<TV, T>(teacher.At<TV>(i))) * TV.Broadcast(factor)).Store(g + i);
    }
}
