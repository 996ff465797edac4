using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// y[c] = Σ over r of x[r, c]: the gradient of a bias. Rows are read in order, a block of them into a partial row each; then the
/// partial rows are added in order. Floor: one read of x.
/// </summary>
internal static unsafe class ColumnSum
{
    private const int RowsAtOnce = 4;

    /// <summary>Column sums of x [rows, columns] into y [columns], or added to it.</summary>
    public static void Run<T>(T* x, T* y, long rows, long columns, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long block = BlockRows(columns);
        int blocks = Cut.Pieces(rows, block);
        using Scratch<T> scratch = new(blocks * columns);
        T* partials = scratch.Pointer;
        WorkerPool.Shared.For(blocks, new BlockPiece<T>(x, partials, rows, columns, block));
        AddPartials(partials, y, blocks, columns, accumulate);
    }

    /// <summary>Rows that go into one partial row: by the number of columns only.</summary>
    public static long BlockRows(long columns) => Math.Max(16, 4L * Cut.Elements / Math.Max(1, columns));

    /// <summary>y[c] = Σ over p of partials[p, c] in order, or added to y[c].</summary>
    public static void AddPartials<T>(T* partials, T* y, int count, long columns, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        WorkerPool.Shared.For(Cut.Pieces(columns, PartialColumns), new PartialPiece<T>(partials, y, count, columns, accumulate));

    private const int PartialColumns = 1024;

    private readonly struct BlockPiece<T>(T* x, T* partials, long rows, long columns, long block) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            T* sum = partials + (index * columns);
            long r = index * block, end = Math.Min(r + block, rows);
            new Span<T>(sum, checked((int)columns)).Clear();
            for (; r <= end - RowsAtOnce; r += RowsAtOnce)
            {
                SimdLoop.For<T, AddFourRows<T>>(0, (nint)columns, new(x + (r * columns), (nint)columns, sum));
            }

            for (; r < end; r++)
            {
                SimdLoop.For<T, AddRow<T>>(0, (nint)columns, new(x + (r * columns), sum));
            }
        }
    }

    private readonly struct PartialPiece<T>(T* partials, T* y, int count, long columns, bool accumulate) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            nint from = (nint)index * PartialColumns, to = (nint)Math.Min(from + PartialColumns, columns);
            SimdLoop.For<T, AddPartialsBody<T>>(from, to, new(partials, (nint)columns, count, y, accumulate));
        }
    }

    private readonly struct AddRow<T>(T* x, T* sum) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> => (TV.Load(sum + i) + TV.Load(x + i)).Store(sum + i);
    }

    private readonly struct AddFourRows<T>(T* x, nint stride, T* sum) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            T* at = x + i;
            TV four = (TV.Load(at) + TV.Load(at + stride)) + (TV.Load(at + (2 * stride)) + TV.Load(at + (3 * stride)));
            (TV.Load(sum + i) + four).Store(sum + i);
        }
    }

    private readonly struct AddPartialsBody<T>(T* partials, nint stride, int count, T* y, bool accumulate) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV sum = TV.Of(0.0);
            for (int p = 0; p < count; p++)
            {
                sum += TV.Load(partials + (p * stride) + i);
            }

            (accumulate ? TV.Load(y + i) + sum : sum).Store(y + i);
        }
    }
}
