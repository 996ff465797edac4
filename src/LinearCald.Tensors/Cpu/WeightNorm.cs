using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>w = g · v / ‖v‖ with the norm taken over each column of v [rows, taps]. Floor: two reads of v, one write of w.</summary>
internal static unsafe class WeightNorm
{
    /// <param name="v">[rows, taps].</param>
    /// <param name="g">[taps].</param>
    /// <param name="w">[rows, taps]: written.</param>
    /// <param name="norm">[taps]: written, for the gradient.</param>
    public static void Forward<T>(long rows, int taps, T* v, T* g, T* w, T* norm)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using Scratch<double> squares = new(taps);
        using Scratch<T> factor = new(taps);
        ColumnTerms.Sum<T, Products<T>>(1, rows, taps, new(v, v, taps), squares.Pointer);
        for (int k = 0; k < taps; k++)
        {
            double length = Math.Sqrt(squares.Pointer[k]);
            norm[k] = T.CreateTruncating(length);
            factor.Pointer[k] = T.CreateTruncating(double.CreateTruncating(g[k]) / length);
        }

        WorkerPool.Shared.For(Cut.Pieces(rows, Cut.Rows(taps)), new ForwardPiece<T>(rows, taps, v, factor.Pointer, w));
    }

    /// <summary>With s = Σ dw·v per column: dg = s/n, dv = g/n·(dw − v·s/n²).</summary>
    /// <param name="dv">[rows, taps]: written, or added to; null if not wanted.</param>
    /// <param name="dg">[taps]: written, or added to; null if not wanted.</param>
    public static void Backward<T>(long rows, int taps, T* dw, T* v, T* g, T* norm, T* dv, bool accumulateV, T* dg, bool accumulateG)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using Scratch<double> sums = new(taps);
        using Scratch<T> factors = new(2L * taps);
        T* scale = factors.Pointer, slope = scale + taps;
        ColumnTerms.Sum<T, Products<T>>(1, rows, taps, new(dw, v, taps), sums.Pointer);
        for (int k = 0; k < taps; k++)
        {
            double n = double.CreateTruncating(norm[k]), magnitude = double.CreateTruncating(g[k]), s = sums.Pointer[k];
            scale[k] = T.CreateTruncating(magnitude / n);
            slope[k] = T.CreateTruncating(-magnitude * s / (n * n * n));
            if (dg is not null)
            {
                dg[k] = T.CreateTruncating(s / n) + (accumulateG ? dg[k] : T.Zero);
            }
        }

        if (dv is not null)
        {
            WorkerPool.Shared.For(Cut.Pieces(rows, Cut.Rows(taps)), new BackwardPiece<T>(rows, taps, dw, v, scale, slope, dv, accumulateV));
        }
    }

    private readonly struct Products<T>(T* a, T* b, long columns) : IColumnTerms<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public static int Count => 1;

        public bool Counts(int sample, long row) => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add<TV>(int sample, long row, nint i, T* sums, nint pitch)
            where TV : unmanaged, ISimd<TV, T> => TV.Fma(TV.Load(a + (row * columns) + i), TV.Load(b + (row * columns) + i), TV.Load(sums + i)).Store(sums + i);
    }

    private readonly struct ForwardPiece<T>(long rows, int taps, T* v, T* factor, T* w) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long first = (long)index * Cut.Rows(taps);
            for (long r = first; r < Math.Min(first + Cut.Rows(taps), rows); r++)
            {
                SimdLoop.For<T, ScaleBody<T>>(0, taps, new(v + (r * taps), factor, w + (r * taps)));
            }
        }
    }

    private readonly struct BackwardPiece<T>(long rows, int taps, T* dw, T* v, T* scale, T* slope, T* dv, bool accumulate) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long first = (long)index * Cut.Rows(taps);
            for (long r = first; r < Math.Min(first + Cut.Rows(taps), rows); r++)
            {
                SimdLoop.For<T, GradientBody<T>>(0, taps, new(dw + (r * taps), v + (r * taps), scale, slope, dv + (r * taps), accumulate));
            }
        }
    }

    private readonly struct ScaleBody<T>(T* v, T* factor, T* w) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> => (TV.Load(v + i) * TV.Load(factor + i)).Store(w + i);
    }

    private readonly struct GradientBody<T>(T* dw, T* v, T* scale, T* slope, T* dv, bool accumulate) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV d = TV.Fma(TV.Load(v + i), TV.Load(slope + i), TV.Load(dw + i) * TV.Load(scale + i));
            (accumulate ? TV.Load(dv + i) + d : d).Store(dv + i);
        }
    }
}
