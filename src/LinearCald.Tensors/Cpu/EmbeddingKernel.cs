using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Rows of a table [rows, d] by id, and the gradient of the table. Forward: one read and one write an element of the output. Gradient: one
/// read of gy and one write of the table's gradient, plus a counting sort of the ids.
/// </summary>
internal static unsafe class EmbeddingKernel
{
    /// <summary>Occurrences added in one pass over a row: as many streams as prefetchers follow.</summary>
    private const int Together = 8;

    private const int MostRowRanges = 64;
    private const int MostColumnBlocks = 8;

    /// <summary>y[i] = table[ids[i]]: y is [count, d].</summary>
    /// <exception cref="CaldException">An id is outside the table.</exception>
    public static void Forward<T>(T* table, int rows, int d, int* ids, long count, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check(ids, count, rows);
        int size = Cut.Rows(d);
        WorkerPool.Shared.For(Cut.Pieces(count, size), new GatherPiece<T>(table, d, ids, count, y, size));
    }

    /// <summary>
    /// gtable[r] = Σ gy[i] over the i with ids[i] = r, in ascending order of i; the other rows become 0. Accumulating, the sums are added
    /// to gtable, whose other rows are left alone.
    /// </summary>
    /// <param name="padding">The row that gets no gradient; −1 for none.</param>
    /// <exception cref="CaldException">An id is outside the table.</exception>
    public static void Gradient<T>(int* ids, long count, T* gy, int rows, int d, int padding, bool accumulate, T* gtable)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(padding, Math.Max(rows, 0));
        Check(ids, count, rows);
        EmbeddingOrder order = EmbeddingOrder.Sort(ids, checked((int)count), rows, padding);

        // A row costs about as much to clear as an occurrence costs to add. Where one id alone is more than its share of that, whole rows
        // cannot keep all threads busy, and columns are cut as well.
        long work = rows + (long)order.Starts[rows];
        int ranges = (int)Math.Clamp(work * d / Cut.Elements, 1, MostRowRanges);
        int line = 128 / sizeof(T);
        int blocks = order.Most * (long)ranges > 2 * work ? Math.Clamp(d / line, 1, MostColumnBlocks) : 1;
        int width = (((d + blocks - 1) / blocks) + line - 1) / line * line;
        blocks = Math.Max(1, (d + width - 1) / Math.Max(1, width));
        WorkerPool.Shared.For(
            ranges * blocks, new ScatterPiece<T>(order.Starts, order.Positions, gy, gtable, rows, d, accumulate, ranges, blocks, width));
    }

    private static void Check(int* ids, long count, int rows)
    {
        for (long i = 0; i < count; i++)
        {
            if ((uint)ids[i] >= (uint)rows)
            {
                throw new CaldException(
                    $"embedding: id {ids[i]} at position {i} is outside the table of {rows} rows; ids must be 0 to {rows - 1}. " +
                    "Use the vocabulary that the model was made with, or a larger table.");
            }
        }
    }

    private readonly struct GatherPiece<T>(T* table, int d, int* ids, long count, T* y, int size) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long from = (long)index * size, to = Math.Min(from + size, count);
            for (long i = from; i < to; i++)
            {
                NativeMemory.Copy(table + ((long)ids[i] * d), y + (i * d), (nuint)d * (nuint)sizeof(T));
            }
        }
    }

    private readonly struct ScatterPiece<T>(
        int* starts, int* positions, T* gy, T* gtable, int rows, int d, bool accumulate, int ranges, int blocks, int width) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            int range = index / blocks, column = index % blocks * width;
            int columns = Math.Min(width, d - column);
            int to = RowAt(range + 1);
            for (int r = RowAt(range); r < to; r++)
            {
                T* row = gtable + ((long)r * d) + column;
                int at = starts[r], end = starts[r + 1];
                if (at == end && !accumulate)
                {
                    NativeMemory.Clear(row, (nuint)columns * (nuint)sizeof(T));
                }

                bool fresh = !accumulate;
                for (; at < end; at += Together)
                {
                    SimdLoop.For<T, AddOccurrences<T>>(
                        0, columns, new(gy + column, d, positions + at, Math.Min(Together, end - at), row, fresh));
                    fresh = false;
                }
            }
        }

        /// <summary>The first row of a range: rows and occurrences before it are at least range/ranges of all. Depends on the ids only.</summary>
        private int RowAt(int range)
        {
            long wanted = ((rows + (long)starts[rows]) * range) / ranges;
            int low = 0, high = rows;
            while (low < high)
            {
                int middle = (low + high) >>> 1;
                if (middle + (long)starts[middle] < wanted)
                {
                    low = middle + 1;
                }
                else
                {
                    high = middle;
                }
            }

            return low;
        }
    }

    /// <summary>row[i] += the rows of gy at a few positions, one after the other.</summary>
    private readonly struct AddOccurrences<T>(T* gy, int d, int* positions, int count, T* row, bool fresh) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV sum = fresh ? TV.Of(0.0) : TV.Load(row + i);
            for (int k = 0; k < count; k++)
            {
                sum += TV.Load(gy + ((long)positions[k] * d) + i);
            }

            sum.Store(row + i);
        }
    }
}
