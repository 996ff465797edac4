using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// y = LN(x + dropout(h)): what ends each half of a post-norm transformer layer, with the sum, the mask and the norm done while a row is in
/// the first-level cache. Floor: two reads and two writes an element forward (the sum is kept for the backward), and as many backward.
/// </summary>
internal static unsafe class ResidualLayerNorm
{
    /// <summary>sum = x + dropout(h); y = LN(sum)·w + b.</summary>
    /// <param name="sum">[rows, columns]: written; may be x or h.</param>
    /// <param name="mean">[rows]: written.</param>
    /// <param name="rstd">[rows]: written.</param>
    /// <param name="p">Dropout probability, 0 ≤ p &lt; 1; the mask is that of <see cref="DropoutKernel"/> over the whole matrix.</param>
    public static void Forward<T>(
        T* x, T* h, T* weight, T* bias, T* sum, T* y, T* mean, T* rstd, long rows, long columns, double epsilon, double p, ulong seed, ulong stream)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        WorkerPool.Shared.For(
            Cut.Pieces(rows, Cut.Rows(columns)),
            new ForwardPiece<T>(x, h, weight, bias, sum, y, mean, rstd, rows, columns, epsilon, p > 0, new DropoutMask<T>(p, seed, stream)));

    /// <summary>
    /// dsum is the backward of the norm (<see cref="LayerNorm.Backward"/>); dx = dsum, or is added to; dh = dsum times the mask's factors.
    /// </summary>
    /// <param name="sum">What the forward wrote, as mean and rstd.</param>
    /// <param name="dx">Gradient of the residual; may be dy when not accumulating.</param>
    /// <param name="dh">Gradient of h, written; null if p = 0 and the caller uses dx for both.</param>
    /// <param name="dweight">[columns]: written or added to; null if not wanted; as <paramref name="dbias"/>.</param>
    public static void Backward<T>(
        T* sum, T* weight, T* mean, T* rstd, T* dy, T* dx, T* dh, T* dweight, T* dbias, long rows, long columns, double p, ulong seed, ulong stream, bool accumulateInput, bool accumulateParameters)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long block = LayerNorm.GradientRows(rows, columns);
        int blocks = Cut.Pieces(rows, block);
        bool parameters = dweight is not null || dbias is not null;
        using Scratch<T> scratch = new(parameters ? 2 * blocks * columns : 0);
        T* partialWeight = parameters ? scratch.Pointer : null;
        T* partialBias = partialWeight + (parameters ? blocks * columns : 0);
        BackwardPiece<T> piece = new(
            sum, weight, mean, rstd, dy, dx, dh, partialWeight, partialBias, rows, columns, block, p > 0, new DropoutMask<T>(p, seed, stream), accumulateInput);
        WorkerPool.Shared.For(blocks, piece);
        LayerNorm.AddParameterGradients(partialWeight, partialBias, dweight, dbias, blocks, columns, accumulateParameters);
    }

    private readonly struct ForwardPiece<T>(
        T* x, T* h, T* weight, T* bias, T* sum, T* y, T* mean, T* rstd, long rows, long columns, double epsilon, bool drop, DropoutMask<T> mask) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            T* factors = stackalloc T[DropoutKernel.Tile];
            long size = Cut.Rows(columns);
            for (long r = index * size; r < Math.Min((index + 1) * size, rows); r++)
            {
                T total = T.Zero;
                for (long c = 0; c < columns; c += DropoutKernel.Tile)
                {
                    long at = (r * columns) + c;
                    int count = (int)Math.Min(DropoutKernel.Tile, columns - c);
                    if (drop)
                    {
                        mask.Factors((ulong)at, factors, count);
                        total += SimdLoop.Sum<T, DropAddFold<T>>(0, count, new(x + at, h + at, factors, sum + at));
                    }
                    else
                    {
                        total += SimdLoop.Sum<T, AddFold<T>>(0, count, new(x + at, h + at, sum + at));
                    }
                }

                T average = total / T.CreateTruncating(columns);
                mean[r] = average;
                rstd[r] = LayerNorm.NormaliseRow(sum + (r * columns), weight, bias, y + (r * columns), average, (nint)columns, epsilon);
            }
        }
    }

    private readonly struct BackwardPiece<T>(
        T* sum, T* weight, T* mean, T* rstd, T* dy, T* dx, T* dh, T* partialWeight, T* partialBias, long rows, long columns, long block, bool drop, DropoutMask<T> mask, bool accumulate) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            T* factors = stackalloc T[DropoutKernel.Tile];
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
                long row = r * columns;
                if (dh is null)
                {
                    LayerNorm.BackwardRow(sum + row, weight, mean[r], rstd[r], dy + row, dx + row, pw, pb, (nint)columns, accumulate);
                    continue;
                }

                // The row's gradient goes to dh first; from there to dx as it is, and back to dh through the mask.
                LayerNorm.BackwardRow(sum + row, weight, mean[r], rstd[r], dy + row, dh + row, pw, pb, (nint)columns, accumulate: false);
                for (long c = 0; c < columns; c += DropoutKernel.Tile)
                {
                    long at = row + c;
                    int count = (int)Math.Min(DropoutKernel.Tile, columns - c);
                    if (drop)
                    {
                        mask.Factors((ulong)at, factors, count);
                        SimdLoop.For<T, SplitBody<T>>(0, count, new(dh + at, dx + at, factors, accumulate));
                    }
                    else
                    {
                        SimdLoop.For<T, ShareBody<T>>(0, count, new(dh + at, dx + at, accumulate));
                    }
                }
            }
        }
    }

    private readonly struct DropAddFold<T>(T* x, T* h, T* factors, T* sum) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV s = TV.Fma(TV.Load(h + i), TV.Load(factors + i), TV.Load(x + i));
            s.Store(sum + i);
            return soFar + s;
        }
    }

    private readonly struct AddFold<T>(T* x, T* h, T* sum) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV s = TV.Load(x + i) + TV.Load(h + i);
            s.Store(sum + i);
            return soFar + s;
        }
    }

    private readonly struct SplitBody<T>(T* dh, T* dx, T* factors, bool accumulate) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV d = TV.Load(dh + i);
            (accumulate ? TV.Load(dx + i) + d : d).Store(dx + i);
            (d * TV.Load(factors + i)).Store(dh + i);
        }
    }

    private readonly struct ShareBody<T>(T* dh, T* dx, bool accumulate) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV d = TV.Load(dh + i);
            (accumulate ? TV.Load(dx + i) + d : d).Store(dx + i);
        }
    }
}
