using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Squared distance of a student's hidden states to a teacher's, both [B, L, d]: scale · Σ (N(s) − N(t))² over the positions that count,
/// where N is nothing, or the layer normalisation over d without weights. Every row stays in the cache through its two or three readings,
/// so memory sees one read of each side, and for the gradient one write.
/// </summary>
internal static unsafe class LayerMseKernel
{
    /// <summary>What is added to a variance before its root.</summary>
    public const double Epsilon = 1e-5;

    /// <summary>Writes the loss.</summary>
    /// <param name="lengths">[B]: positions from here on do not count; null where all do.</param>
    /// <param name="normalise">Whether both sides are normalised over d first.</param>
    /// <param name="scale">Such as one over the number of elements that count.</param>
    /// <param name="loss">One number.</param>
    public static void Forward<T>(T* student, T* teacher, int B, int L, int d, int* lengths, bool normalise, T scale, T* loss)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double total = RowSum.Of((long)B * L, 2L * d, new RowDistance<T>(student, teacher, L, d, lengths, normalise));
        *loss = T.CreateTruncating(double.CreateTruncating(scale) * total);
    }

    /// <summary>
    /// With e = 2·scale·gloss·(N(s) − N(t)): gstudent = e, or through the normalisation (e − mean(e) − N(s)·mean(e·N(s)))/√(var + ε). 0 at
    /// the positions that do not count.
    /// </summary>
    /// <param name="gloss">Gradient of the loss.</param>
    /// <param name="gstudent">[B, L, d]; may be <paramref name="student"/>.</param>
    public static void Gradient<T>(
        T* student, T* teacher, int B, int L, int d, int* lengths, bool normalise, T scale, T gloss, T* gstudent)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long rows = (long)B * L;
        int size = Cut.Rows(2L * d);
        T factor = T.CreateTruncating(2) * scale * gloss;
        WorkerPool.Shared.For(
            Cut.Pieces(rows, size), new GradientPiece<T>(student, teacher, rows, L, d, lengths, normalise, factor, gstudent, size));
    }

    private static bool Counts(int* lengths, long row, int L) => lengths is null || row % L < lengths[row / L];

    private readonly struct RowDistance<T>(T* student, T* teacher, int L, int d, int* lengths, bool normalise) : IRowTerm
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public double Term(long row) => Counts(lengths, row, L)
            ? double.CreateTruncating(SimdLoop.Sum<T, SquaredDifferences<T>>(0, d, new(new(student + (row * d), teacher + (row * d), d, normalise))))
            : 0;
    }

    private readonly struct GradientPiece<T>(
        T* student, T* teacher, long rows, int L, int d, int* lengths, bool normalise, T factor, T* gstudent, int size) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long from = (long)index * size, to = Math.Min(from + size, rows);
            for (long row = from; row < to; row++)
            {
                T* g = gstudent + (row * d);
                if (!Counts(lengths, row, L))
                {
                    NativeMemory.Clear(g, (nuint)d * (nuint)sizeof(T));
                    continue;
                }

                Pair<T> pair = new(student + (row * d), teacher + (row * d), d, normalise);
                if (normalise)
                {
                    (T difference, T projection) = SimdLoop.SumPair<T, Projections<T>>(0, d, new(pair));
                    T count = T.CreateTruncating(d);
                    SimdLoop.For<T, ThroughNormalisation<T>>(
                        0, d, new(pair, factor * pair.StudentScale, difference / count, projection / count, g));
                }
                else
                {
                    SimdLoop.For<T, ScaledDifferences<T>>(0, d, new(pair, factor, g));
                }
            }
        }
    }

    /// <summary>One row of both sides and what normalises it: N(x) = (x − mean)·scale.</summary>
    private readonly struct Pair<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public readonly T StudentScale = T.One;
        private readonly T* _student;
        private readonly T* _teacher;
        private readonly T _studentMean = T.Zero;
        private readonly T _teacherMean = T.Zero;
        private readonly T _teacherScale = T.One;

        public Pair(T* student, T* teacher, int d, bool normalise)
        {
            _student = student;
            _teacher = teacher;
            if (normalise)
            {
                (_studentMean, StudentScale) = Moments(student, d);
                (_teacherMean, _teacherScale) = Moments(teacher, d);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Student<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> => (TV.Load(_student + i) - TV.Broadcast(_studentMean)) * TV.Broadcast(StudentScale);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Teacher<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> => (TV.Load(_teacher + i) - TV.Broadcast(_teacherMean)) * TV.Broadcast(_teacherScale);

        private static (T Mean, T Scale) Moments(T* x, int d)
        {
            T count = T.CreateTruncating(d);
            T mean = SimdLoop.Sum<T, Elements<T>>(0, d, new(x)) / count;
            T variance = SimdLoop.Sum<T, SquaredDeviations<T>>(0, d, new(x, mean)) / count;
            return (mean, T.One / T.Sqrt(variance + T.CreateTruncating(Epsilon)));
        }
    }

    private readonly struct Elements<T>(T* x) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T> => soFar + TV.Load(x + i);
    }

    private readonly struct SquaredDeviations<T>(T* x, T mean) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV deviation = TV.Load(x + i) - TV.Broadcast(mean);
            return TV.Fma(deviation, deviation, soFar);
        }
    }

    private readonly struct SquaredDifferences<T>(Pair<T> pair) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV difference = pair.Student<TV>(i) - pair.Teacher<TV>(i);
            return TV.Fma(difference, difference, soFar);
        }
    }

    /// <summary>Σ (N(s) − N(t)) and Σ (N(s) − N(t))·N(s).</summary>
    private readonly struct Projections<T>(Pair<T> pair) : ISimdPairFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(ref TV first, ref TV second, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV student = pair.Student<TV>(i);
            TV difference = student - pair.Teacher<TV>(i);
            first += difference;
            second = TV.Fma(difference, student, second);
        }
    }

    private readonly struct ThroughNormalisation<T>(Pair<T> pair, T factor, T difference, T projection, T* g) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV student = pair.Student<TV>(i);
            TV own = student - pair.Teacher<TV>(i) - TV.Broadcast(difference);
            (TV.Broadcast(factor) * (own - (student * TV.Broadcast(projection)))).Store(g + i);
        }
    }

    private readonly struct ScaledDifferences<T>(Pair<T> pair, T factor, T* g) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> => (TV.Broadcast(factor) * (pair.Student<TV>(i) - pair.Teacher<TV>(i))).Store(g + i);
    }
}
