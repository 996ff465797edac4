using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>The functions of two arguments that have a kernel.</summary>
internal enum BinaryKind
{
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// <summary>
/// Elementwise functions of two arguments: of one shape, with a scalar, with a vector along the rows (a bias), or with a vector down
/// the rows (one number a row). y may be a (and b where shapes agree).
/// </summary>
internal static unsafe class Binary
{
    /// <summary>y[i] = f(a[i], b[i]).</summary>
    public static void Apply<T>(BinaryKind kind, T* a, T* b, T* y, long count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (kind)
        {
            case BinaryKind.Add: ParallelLoop.For<T, ZipBody<T, Add<T>>>(count, new(a, b, y, default)); break;
            case BinaryKind.Subtract: ParallelLoop.For<T, ZipBody<T, Subtract<T>>>(count, new(a, b, y, default)); break;
            case BinaryKind.Multiply: ParallelLoop.For<T, ZipBody<T, Multiply<T>>>(count, new(a, b, y, default)); break;
            case BinaryKind.Divide: ParallelLoop.For<T, ZipBody<T, Divide<T>>>(count, new(a, b, y, default)); break;
            default: throw Unknown(kind);
        }
    }

    /// <summary>y[i] += a[i]·b[i].</summary>
    public static void MultiplyAdd<T>(T* a, T* b, T* y, long count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        ParallelLoop.For<T, ZipAddBody<T, Multiply<T>>>(count, new(a, b, y, default));

    /// <summary>y[i] = f(a[i], b).</summary>
    public static void ApplyScalar<T>(BinaryKind kind, T* a, T b, T* y, long count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (kind)
        {
            case BinaryKind.Add: ParallelLoop.For<T, ZipScalarBody<T, Add<T>>>(count, new(a, b, y, default)); break;
            case BinaryKind.Subtract: ParallelLoop.For<T, ZipScalarBody<T, Subtract<T>>>(count, new(a, b, y, default)); break;
            case BinaryKind.Multiply: ParallelLoop.For<T, ZipScalarBody<T, Multiply<T>>>(count, new(a, b, y, default)); break;
            case BinaryKind.Divide: ParallelLoop.For<T, ZipScalarBody<T, Divide<T>>>(count, new(a, b, y, default)); break;
            default: throw Unknown(kind);
        }
    }

    /// <summary>y[r, c] = f(a[r, c], row[c]).</summary>
    public static void ApplyRow<T>(BinaryKind kind, T* a, T* row, T* y, long rows, long columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (kind)
        {
            case BinaryKind.Add: Rows<T, Add<T>>(a, row, y, rows, columns, perRow: false); break;
            case BinaryKind.Subtract: Rows<T, Subtract<T>>(a, row, y, rows, columns, perRow: false); break;
            case BinaryKind.Multiply: Rows<T, Multiply<T>>(a, row, y, rows, columns, perRow: false); break;
            case BinaryKind.Divide: Rows<T, Divide<T>>(a, row, y, rows, columns, perRow: false); break;
            default: throw Unknown(kind);
        }
    }

    /// <summary>y[r, c] = f(a[r, c], column[r]).</summary>
    public static void ApplyColumn<T>(BinaryKind kind, T* a, T* column, T* y, long rows, long columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (kind)
        {
            case BinaryKind.Add: Rows<T, Add<T>>(a, column, y, rows, columns, perRow: true); break;
            case BinaryKind.Subtract: Rows<T, Subtract<T>>(a, column, y, rows, columns, perRow: true); break;
            case BinaryKind.Multiply: Rows<T, Multiply<T>>(a, column, y, rows, columns, perRow: true); break;
            case BinaryKind.Divide: Rows<T, Divide<T>>(a, column, y, rows, columns, perRow: true); break;
            default: throw Unknown(kind);
        }
    }

    private static void Rows<T, TOperator>(T* a, T* b, T* y, long rows, long columns, bool perRow)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOperator : struct, IBinaryOperator<T> =>
        WorkerPool.Shared.For(Cut.Pieces(rows, Cut.Rows(columns)), new RowsPiece<T, TOperator>(a, b, y, rows, columns, perRow));

    private static ArgumentOutOfRangeException Unknown(BinaryKind kind) => new(nameof(kind), kind, "no such function");

    private readonly struct RowsPiece<T, TOperator>(T* a, T* b, T* y, long rows, long columns, bool perRow) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOperator : struct, IBinaryOperator<T>
    {
        public void Execute(int index)
        {
            long size = Cut.Rows(columns);
            for (long r = index * size; r < Math.Min((index + 1) * size, rows); r++)
            {
                if (perRow)
                {
                    SimdLoop.For<T, ZipScalarBody<T, TOperator>>(0, (nint)columns, new(a + (r * columns), b[r], y + (r * columns), default));
                }
                else
                {
                    SimdLoop.For<T, ZipBody<T, TOperator>>(0, (nint)columns, new(a + (r * columns), b, y + (r * columns), default));
                }
            }
        }
    }

    private readonly struct Add<T> : IBinaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Apply<TV>(TV a, TV b)
            where TV : unmanaged, ISimd<TV, T> => a + b;
    }

    private readonly struct Subtract<T> : IBinaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Apply<TV>(TV a, TV b)
            where TV : unmanaged, ISimd<TV, T> => a - b;
    }

    private readonly struct Multiply<T> : IBinaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Apply<TV>(TV a, TV b)
            where TV : unmanaged, ISimd<TV, T> => a * b;
    }

    private readonly struct Divide<T> : IBinaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Apply<TV>(TV a, TV b)
            where TV : unmanaged, ISimd<TV, T> => a / b;
    }
}
