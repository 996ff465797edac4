using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Softmax and its logarithm along the rows of [rows, columns]. A row is read from memory once: the passes for the maximum, the
/// exponentials with their sum, and the scaling find it in the first-level cache. Floor: one read and one write of the matrix.
/// </summary>
/// <remarks>
/// An optional length a row (attention masks) leaves the columns from there on out: their probability and their gradient are 0, and
/// a row of length 0 is all 0. A row of nothing but −∞ gives NaN, as it does in PyTorch.
/// </remarks>
internal static unsafe class Softmax
{
    /// <summary>y[r, c] = e^(scale·x[r, c]) / Σ over c′ of e^(scale·x[r, c′]); y may be x.</summary>
    /// <param name="scale">Above 0.</param>
    /// <param name="lengths">Valid columns of each row, 0 … columns; null for all.</param>
    public static void Forward<T>(T* x, T* y, long rows, long columns, T scale, int* lengths = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        WorkerPool.Shared.For(Cut.Pieces(rows, Cut.Rows(columns)), new ForwardPiece<T>(x, y, rows, columns, scale, lengths));

    /// <summary>dx = scale·y·(dy − Σ dy·y) row by row, or added to dx; dx may be dy or y when not accumulating.</summary>
    /// <param name="y">What <see cref="Forward"/> wrote.</param>
    /// <param name="lengths">As in the forward: columns from there on get 0, whatever dy holds there.</param>
    public static void Backward<T>(T* y, T* dy, T* dx, long rows, long columns, T scale, bool accumulate, int* lengths = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        WorkerPool.Shared.For(Cut.Pieces(rows, Cut.Rows(columns)), new BackwardPiece<T>(y, dy, dx, rows, columns, scale, accumulate, lengths));

    /// <summary>y[r, c] = scale·x[r, c] − log Σ e^(scale·x[r, c′]); y may be x.</summary>
    /// <param name="scale">Above 0.</param>
    public static void LogForward<T>(T* x, T* y, long rows, long columns, T scale)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        WorkerPool.Shared.For(Cut.Pieces(rows, Cut.Rows(columns)), new LogForwardPiece<T>(x, y, rows, columns, scale));

    /// <summary>dx = scale·(dy − e^y·Σ dy) row by row, or added to dx; dx may be dy when not accumulating.</summary>
    /// <param name="y">What <see cref="LogForward"/> wrote.</param>
    public static void LogBackward<T>(T* y, T* dy, T* dx, long rows, long columns, T scale, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        WorkerPool.Shared.For(Cut.Pieces(rows, Cut.Rows(columns)), new LogBackwardPiece<T>(y, dy, dx, rows, columns, scale, accumulate));

    /// <summary>log Σ e^(scale·x[c]) of one row.</summary>
    public static T LogSumExpOfRow<T>(T* x, nint columns, T scale)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T max = LargestOfRow(x, columns) * scale;
        return T.IsInfinity(max) ? max : max + T.Log(SimdLoop.Sum<T, ExpFold<T>>(0, columns, new(x, scale, max)));
    }

    /// <summary>The largest number of a row. A NaN may be passed over: the sum of exponentials finds it.</summary>
    private static T LargestOfRow<T>(T* x, nint columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => SimdLoop.Max<T, MaxFold<T>>(0, columns, new(x));

    private readonly struct ForwardPiece<T>(T* x, T* y, long rows, long columns, T scale, int* lengths) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long size = Cut.Rows(columns);
            for (long r = index * size; r < Math.Min((index + 1) * size, rows); r++)
            {
                T* row = x + (r * columns), result = y + (r * columns);
                nint valid = lengths is null ? (nint)columns : lengths[r];
                T max = LargestOfRow(row, valid) * scale;
                T sum = SimdLoop.Sum<T, ExpStoreFold<T>>(0, valid, new(row, result, scale, max));
                SimdLoop.For<T, MapBody<T, Scale<T>>>(0, valid, new(result, result, new(T.One / sum)));
                new Span<T>(result + valid, (int)(columns - valid)).Clear();
            }
        }
    }

    private readonly struct BackwardPiece<T>(T* y, T* dy, T* dx, long rows, long columns, T scale, bool accumulate, int* lengths) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long size = Cut.Rows(columns);
            for (long r = index * size; r < Math.Min((index + 1) * size, rows); r++)
            {
                long at = r * columns;
                nint valid = lengths is null ? (nint)columns : lengths[r];
                T dot = SimdLoop.Sum<T, DotFold<T>>(0, valid, new(y + at, dy + at));
                if (accumulate)
                {
                    SimdLoop.For<T, ZipAddBody<T, Gradient<T>>>(0, valid, new(y + at, dy + at, dx + at, new(dot, scale)));
                }
                else
                {
                    SimdLoop.For<T, ZipBody<T, Gradient<T>>>(0, valid, new(y + at, dy + at, dx + at, new(dot, scale)));
                    new Span<T>(dx + at + valid, (int)(columns - valid)).Clear();
                }
            }
        }
    }

    private readonly struct LogForwardPiece<T>(T* x, T* y, long rows, long columns, T scale) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long size = Cut.Rows(columns);
            for (long r = index * size; r < Math.Min((index + 1) * size, rows); r++)
            {
                T* row = x + (r * columns);
                T total = LogSumExpOfRow(row, (nint)columns, scale);
                SimdLoop.For<T, MapBody<T, Affine<T>>>(0, (nint)columns, new(row, y + (r * columns), new(scale, -total)));
            }
        }
    }

    private readonly struct LogBackwardPiece<T>(T* y, T* dy, T* dx, long rows, long columns, T scale, bool accumulate) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long size = Cut.Rows(columns);
            for (long r = index * size; r < Math.Min((index + 1) * size, rows); r++)
            {
                long at = r * columns;
                T sum = Reduce.SumOfRow(dy + at, (nint)columns);
                if (accumulate)
                {
                    SimdLoop.For<T, ZipAddBody<T, LogGradient<T>>>(0, (nint)columns, new(y + at, dy + at, dx + at, new(sum, scale)));
                }
                else
                {
                    SimdLoop.For<T, ZipBody<T, LogGradient<T>>>(0, (nint)columns, new(y + at, dy + at, dx + at, new(sum, scale)));
                }
            }
        }
    }

    private readonly struct MaxFold<T>(T* x) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T> => TV.MaxNative(soFar, TV.Load(x + i));
    }

    /// <summary>e^(scale·x − max), stored and summed.</summary>
    private readonly struct ExpStoreFold<T>(T* x, T* y, T scale, T max) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV e = VectorMath.Exp<TV, T>((TV.Load(x + i) * TV.Broadcast(scale)) - TV.Broadcast(max));
            e.Store(y + i);
            return soFar + e;
        }
    }

    private readonly struct ExpFold<T>(T* x, T scale, T max) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T> =>
            soFar + VectorMath.Exp<TV, T>((TV.Load(x + i) * TV.Broadcast(scale)) - TV.Broadcast(max));
    }

    private readonly struct DotFold<T>(T* x, T* y) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T> => TV.Fma(TV.Load(x + i), TV.Load(y + i), soFar);
    }

    private readonly struct Gradient<T>(T dot, T scale) : IBinaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Apply<TV>(TV a, TV b)
            where TV : unmanaged, ISimd<TV, T> => TV.Broadcast(scale) * a * (b - TV.Broadcast(dot));
    }

    private readonly struct LogGradient<T>(T sum, T scale) : IBinaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Apply<TV>(TV a, TV b)
            where TV : unmanaged, ISimd<TV, T> =>
            TV.Broadcast(scale) * TV.Fma(-VectorMath.Exp<TV, T>(a), TV.Broadcast(sum), b);
    }
}
