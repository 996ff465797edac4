using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Layer normalisation along the rows of [rows, columns]: y = (x − μ)/√(σ² + ε)·w + b, with σ² the mean square of x − μ.
/// A row stays in the first-level cache between its passes (mean, variance, result). Floor: one read and one write of the matrix.
/// </summary>
internal static unsafe class LayerNorm
{
    /// <summary>Normalises every row; y may be x.</summary>
    /// <param name="weight">[columns]; null (together with <paramref name="bias"/>) for no affine part.</param>
    /// <param name="bias">[columns]; null for none.</param>
    /// <param name="mean">[rows]: written, for the backward.</param>
    /// <param name="rstd">[rows]: 1/√(σ² + ε), written, for the backward.</param>
    public static void Forward<T>(T* x, T* weight, T* bias, T* y, T* mean, T* rstd, long rows, long columns, double epsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        WorkerPool.Shared.For(
            Cut.Pieces(rows, Cut.Rows(columns)),
            new ForwardPiece<T>(x, weight, bias, y, mean, rstd, rows, columns, epsilon));

    /// <summary>
    /// With x̂ = (x − μ)·rstd and g = dy·w: dx = rstd·(g − mean(g) − x̂·mean(g·x̂)), dw = Σ dy·x̂, db = Σ dy over the rows.
    /// </summary>
    /// <param name="weight">As in the forward, null for none.</param>
    /// <param name="dx">Written, or added to when <paramref name="accumulateInput"/>; null if not wanted; may be dy when not accumulating.</param>
    /// <param name="dweight">[columns]: written, or added to when <paramref name="accumulateParameters"/>; null if not wanted.</param>
    /// <param name="dbias">As <paramref name="dweight"/>.</param>
    public static void Backward<T>(
        T* x, T* weight, T* mean, T* rstd, T* dy, T* dx, T* dweight, T* dbias, long rows, long columns, bool accumulateInput, bool accumulateParameters)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long block = GradientRows(rows, columns);
        int blocks = Cut.Pieces(rows, block);
        bool parameters = dweight is not null || dbias is not null;
        using Scratch<T> scratch = new(parameters ? 2 * blocks * columns : 0);
        T* partialWeight = parameters ? scratch.Pointer : null;
        T* partialBias = partialWeight + (parameters ? blocks * columns : 0);
        WorkerPool.Shared.For(
            blocks,
            new BackwardPiece<T>(x, weight, mean, rstd, dy, dx, partialWeight, partialBias, rows, columns, block, accumulateInput));
        AddParameterGradients(partialWeight, partialBias, dweight, dbias, blocks, columns, accumulateParameters);
    }

    /// <summary>Rows whose parameter gradients go into one partial row: 64 blocks at most, a piece of work at least.</summary>
    public static long GradientRows(long rows, long columns) => Math.Max(Cut.Rows(columns), (rows + 63) / 64);

    /// <summary>Adds the blocks' partial rows in order.</summary>
    public static void AddParameterGradients<T>(T* partialWeight, T* partialBias, T* dweight, T* dbias, int blocks, long columns, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (dweight is not null)
        {
            ColumnSum.AddPartials(partialWeight, dweight, blocks, columns, accumulate);
        }

        if (dbias is not null)
        {
            ColumnSum.AddPartials(partialBias, dbias, blocks, columns, accumulate);
        }
    }

    /// <summary>Normalises one row whose mean is known; returns 1/√(σ² + ε).</summary>
    public static T NormaliseRow<T>(T* x, T* weight, T* bias, T* y, T mean, nint columns, double epsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T variance = SimdLoop.Sum<T, DeviationFold<T>>(0, columns, new(x, mean)) / T.CreateTruncating(columns);
        T rstd = T.One / T.Sqrt(variance + T.CreateTruncating(epsilon));
        if (weight is null)
        {
            SimdLoop.For<T, PlainBody<T>>(0, columns, new(x, y, mean, rstd));
        }
        else if (bias is null)
        {
            SimdLoop.For<T, WeightBody<T>>(0, columns, new(x, weight, y, mean, rstd));
        }
        else
        {
            SimdLoop.For<T, AffineBody<T>>(0, columns, new(x, weight, bias, y, mean, rstd));
        }

        return rstd;
    }

    /// <summary>The backward of one row: dx, and what the row adds to the parameter gradients (null partials: nothing).</summary>
    public static void BackwardRow<T>(
        T* x, T* weight, T mean, T rstd, T* dy, T* dx, T* partialWeight, T* partialBias, nint columns, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T sum, projection;
        if (partialWeight is not null)
        {
            (sum, projection) = weight is null
                ? SimdLoop.SumPair<T, PlainParameterSums<T>>(0, columns, new(x, dy, mean, rstd, partialWeight, partialBias))
                : SimdLoop.SumPair<T, WeightedParameterSums<T>>(0, columns, new(x, weight, dy, mean, rstd, partialWeight, partialBias));
        }
        else
        {
            (sum, projection) = weight is null
                ? SimdLoop.SumPair<T, PlainSums<T>>(0, columns, new(x, dy, mean))
                : SimdLoop.SumPair<T, WeightedSums<T>>(0, columns, new(x, weight, dy, mean));
        }

        if (dx is null)
        {
            return;
        }

        T scale = T.One / T.CreateTruncating(columns);

        // dx = rstd·(g − mean(g) − (x − μ)·rstd²·mean(g·(x − μ)))
        T shift = sum * scale, slope = rstd * rstd * projection * scale;
        if (weight is null)
        {
            SimdLoop.For<T, PlainGradient<T>>(0, columns, new(x, dy, dx, mean, rstd, shift, slope, accumulate));
        }
        else
        {
            SimdLoop.For<T, WeightedGradient<T>>(0, columns, new(x, weight, dy, dx, mean, rstd, shift, slope, accumulate));
        }
    }

    private readonly struct ForwardPiece<T>(T* x, T* weight, T* bias, T* y, T* mean, T* rstd, long rows, long columns, double epsilon) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long size = Cut.Rows(columns);
            for (long r = index * size; r < Math.Min((index + 1) * size, rows); r++)
            {
                T* row = x + (r * columns);
                T average = Reduce.SumOfRow(row, (nint)columns) / T.CreateTruncating(columns);
                mean[r] = average;
                rstd[r] = NormaliseRow(row, weight, bias, y + (r * columns), average, (nint)columns, epsilon);
            }
        }
    }

    private readonly struct BackwardPiece<T>(
        T* x, T* weight, T* mean, T* rstd, T* dy, T* dx, T* partialWeight, T* partialBias, long rows, long columns, long block, bool accumulate) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            T* pw = null, pb = null;
            if (partialWeight is not null)
            {
                pw = partialWeight + (index * columns);
                pb = partialBias + (index * columns);
                new Span<T>(pw, checked((int)columns)).Clear();
                new Span<T>(pb, checked((int)columns)).Clear();
            }

            for (long r = index * block; r < Math.Min((index + 1) * block, rows); r++)
            {
                long at = r * columns;
                BackwardRow(x + at, weight, mean[r], rstd[r], dy + at, dx is null ? null : dx + at, pw, pb, (nint)columns, accumulate);
            }
        }
    }

    private readonly struct DeviationFold<T>(T* x, T mean) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV d = TV.Load(x + i) - TV.Broadcast(mean);
            return TV.Fma(d, d, soFar);
        }
    }

    private readonly struct PlainBody<T>(T* x, T* y, T mean, T rstd) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> => ((TV.Load(x + i) - TV.Broadcast(mean)) * TV.Broadcast(rstd)).Store(y + i);
    }

    private readonly struct WeightBody<T>(T* x, T* weight, T* y, T mean, T rstd) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> =>
            ((TV.Load(x + i) - TV.Broadcast(mean)) * TV.Broadcast(rstd) * TV.Load(weight + i)).Store(y + i);
    }

    private readonly struct AffineBody<T>(T* x, T* weight, T* bias, T* y, T mean, T rstd) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV normal = (TV.Load(x + i) - TV.Broadcast(mean)) * TV.Broadcast(rstd);
            TV.Fma(normal, TV.Load(weight + i), TV.Load(bias + i)).Store(y + i);
        }
    }

    /// <summary>Σ dy and Σ dy·(x − μ).</summary>
    private readonly struct PlainSums<T>(T* x, T* dy, T mean) : ISimdPairFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(ref TV first, ref TV second, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV g = TV.Load(dy + i);
            first += g;
            second = TV.Fma(g, TV.Load(x + i) - TV.Broadcast(mean), second);
        }
    }

    /// <summary>Σ dy·w and Σ dy·w·(x − μ).</summary>
    private readonly struct WeightedSums<T>(T* x, T* weight, T* dy, T mean) : ISimdPairFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(ref TV first, ref TV second, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV g = TV.Load(dy + i) * TV.Load(weight + i);
            first += g;
            second = TV.Fma(g, TV.Load(x + i) - TV.Broadcast(mean), second);
        }
    }

    /// <summary>As <see cref="PlainSums{T}"/>, with dw += dy·x̂ and db += dy on the way.</summary>
    private readonly struct PlainParameterSums<T>(T* x, T* dy, T mean, T rstd, T* dweight, T* dbias) : ISimdPairFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(ref TV first, ref TV second, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV g = TV.Load(dy + i), deviation = TV.Load(x + i) - TV.Broadcast(mean);
            TV.Fma(g * deviation, TV.Broadcast(rstd), TV.Load(dweight + i)).Store(dweight + i);
            (TV.Load(dbias + i) + g).Store(dbias + i);
            first += g;
            second = TV.Fma(g, deviation, second);
        }
    }

    /// <summary>As <see cref="WeightedSums{T}"/>, with dw += dy·x̂ and db += dy on the way.</summary>
    private readonly struct WeightedParameterSums<T>(T* x, T* weight, T* dy, T mean, T rstd, T* dweight, T* dbias) : ISimdPairFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(ref TV first, ref TV second, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV d = TV.Load(dy + i), deviation = TV.Load(x + i) - TV.Broadcast(mean);
            TV.Fma(d * deviation, TV.Broadcast(rstd), TV.Load(dweight + i)).Store(dweight + i);
            (TV.Load(dbias + i) + d).Store(dbias + i);
            TV g = d * TV.Load(weight + i);
            first += g;
            second = TV.Fma(g, deviation, second);
        }
    }

    private readonly struct PlainGradient<T>(T* x, T* dy, T* dx, T mean, T rstd, T shift, T slope, bool accumulate) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV deviation = TV.Load(x + i) - TV.Broadcast(mean);
            TV d = TV.Fma(deviation, TV.Broadcast(-slope), TV.Load(dy + i) - TV.Broadcast(shift)) * TV.Broadcast(rstd);
            (accumulate ? TV.Load(dx + i) + d : d).Store(dx + i);
        }
    }

    private readonly struct WeightedGradient<T>(T* x, T* weight, T* dy, T* dx, T mean, T rstd, T shift, T slope, bool accumulate) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV deviation = TV.Load(x + i) - TV.Broadcast(mean);
            TV g = TV.Load(dy + i) * TV.Load(weight + i);
            TV d = TV.Fma(deviation, TV.Broadcast(-slope), g - TV.Broadcast(shift)) * TV.Broadcast(rstd);
            (accumulate ? TV.Load(dx + i) + d : d).Store(dx + i);
        }
    }
}
