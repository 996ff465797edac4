using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>Sums and maxima over a whole buffer or along the rows of a matrix. Column sums are in <see cref="ColumnSum"/>.</summary>
internal static unsafe class Reduce
{
    /// <summary>Σ x[i].</summary>
    public static double Sum<T>(T* x, long count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ParallelLoop.Sum<T, SumFold<T>>(count, new(x));

    /// <summary>Σ x[i]².</summary>
    public static double SumSquares<T>(T* x, long count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ParallelLoop.Sum<T, SquareFold<T>>(count, new(x));

    /// <summary>Σ x[i]·y[i].</summary>
    public static double Dot<T>(T* x, T* y, long count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ParallelLoop.Sum<T, DotFold<T>>(count, new(x, y));

    /// <summary>Neither NaN nor infinite, all of them: x·0 sums to 0 exactly then, and to NaN otherwise.</summary>
    public static bool AllFinite<T>(T* x, long count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ParallelLoop.Sum<T, FiniteFold<T>>(count, new(x)) == 0;

    /// <summary>y[r] = scale·Σ x[r, c], or added to y[r]. A scale of 1/columns gives the mean.</summary>
    public static void SumRows<T>(T* x, T* y, long rows, long columns, T scale, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        WorkerPool.Shared.For(Cut.Pieces(rows, Cut.Rows(columns)), new SumRowsPiece<T>(x, y, rows, columns, scale, accumulate));

    /// <summary>The largest element of each row and where it first stands; a NaN counts as the largest.</summary>
    /// <param name="largest">[rows], or null.</param>
    /// <param name="where">[rows], or null.</param>
    /// <param name="columns">At least 1.</param>
    public static void MaxRows<T>(T* x, T* largest, long* where, long rows, long columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        WorkerPool.Shared.For(Cut.Pieces(rows, Cut.Rows(columns)), new MaxRowsPiece<T>(x, largest, where, rows, columns));

    /// <summary>The largest of one row; NaN if it holds one; −∞ of an empty row.</summary>
    public static T MaxOfRow<T>(T* x, nint columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => SimdLoop.Max<T, MaxFold<T>>(0, columns, new(x));

    /// <summary>The sum of one row.</summary>
    public static T SumOfRow<T>(T* x, nint columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => SimdLoop.Sum<T, SumFold<T>>(0, columns, new(x));

    private readonly struct SumRowsPiece<T>(T* x, T* y, long rows, long columns, T scale, bool accumulate) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long size = Cut.Rows(columns);
            for (long r = index * size; r < Math.Min((index + 1) * size, rows); r++)
            {
                T sum = SumOfRow(x + (r * columns), (nint)columns) * scale;
                y[r] = accumulate ? y[r] + sum : sum;
            }
        }
    }

    private readonly struct MaxRowsPiece<T>(T* x, T* largest, long* where, long rows, long columns) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long size = Cut.Rows(columns);
            for (long r = index * size; r < Math.Min((index + 1) * size, rows); r++)
            {
                T* row = x + (r * columns);
                T max = MaxOfRow(row, (nint)columns);
                if (largest is not null)
                {
                    largest[r] = max;
                }

                if (where is not null)
                {
                    long c = 0;
                    while (row[c] != max && !(T.IsNaN(max) && T.IsNaN(row[c])))
                    {
                        c++;
                    }

                    where[r] = c;
                }
            }
        }
    }

    private readonly struct SumFold<T>(T* x) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T> => soFar + TV.Load(x + i);
    }

    private readonly struct SquareFold<T>(T* x) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV v = TV.Load(x + i);
            return TV.Fma(v, v, soFar);
        }
    }

    private readonly struct DotFold<T>(T* x, T* y) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T> => TV.Fma(TV.Load(x + i), TV.Load(y + i), soFar);
    }

    private readonly struct FiniteFold<T>(T* x) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T> => TV.Fma(TV.Load(x + i), TV.Of(0.0), soFar);
    }

    private readonly struct MaxFold<T>(T* x) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T> => TV.Max(soFar, TV.Load(x + i));
    }
}
