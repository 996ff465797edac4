using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Rows and features of [batch, rows, columns] that are kept, cleared, replaced or averaged. Floor: one read of what is kept, one write of the result.
/// </summary>
internal static unsafe class RowSelection
{
    /// <summary>Rows of a sample that count.</summary>
    /// <param name="lengths">[batch], or null for all rows.</param>
    public static long Valid(int* lengths, long sample, long rows) => lengths is null ? rows : Math.Clamp(lengths[sample], 0, rows);

    /// <summary>y[r] = row where mask[r] ≠ 0 — zeros if <paramref name="row"/> is null — else x[r].</summary>
    /// <param name="mask">[rows].</param>
    public static void Replace<T>(long rows, int columns, T* x, int* mask, T* row, T* y)
        where T : unmanaged => WorkerPool.Shared.For(Cut.Pieces(rows, Cut.Rows(columns)), new ReplacePiece<T>(rows, columns, x, mask, row, y));

    /// <summary>drow = Σ of the rows of dy where mask ≠ 0.</summary>
    /// <param name="drow">[columns]: written, or added to.</param>
    public static void ReplacedSum<T>(long rows, int columns, T* dy, int* mask, T* drow, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using Scratch<double> totals = new(columns);
        ColumnTerms.Sum<T, RowTerms<T>>(1, rows, columns, new(dy, rows, columns, mask, null), totals.Pointer);
        for (int c = 0; c < columns; c++)
        {
            drow[c] = T.CreateTruncating(totals.Pointer[c]) + (accumulate ? drow[c] : T.Zero);
        }
    }

    /// <summary>y = x in a sample's first rows, 0 after them.</summary>
    public static void Keep<T>(int batch, long rows, int columns, T* x, int* lengths, T* y)
        where T : unmanaged
    {
        int block = Cut.Rows(columns), blocks = Cut.Pieces(rows, block);
        WorkerPool.Shared.For(checked(batch * blocks), new KeepPiece<T>(rows, columns, x, lengths, y, block, blocks));
    }

    /// <summary>y = x in the features of a sample whose mask is 0, 0 in the others.</summary>
    /// <param name="mask">[batch, columns].</param>
    public static void KeepFeatures<T>(int batch, long rows, int columns, T* x, int* mask, T* y)
        where T : unmanaged
    {
        int block = Cut.Rows(columns), blocks = Cut.Pieces(rows, block);
        WorkerPool.Shared.For(checked(batch * blocks), new FeaturePiece<T>(rows, columns, x, mask, y, block, blocks));
    }

    /// <summary>y[b] = the mean of a sample's first rows; 0 of none.</summary>
    public static void Mean<T>(int batch, long rows, int columns, T* x, int* lengths, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using Scratch<double> totals = new((long)batch * columns);
        ColumnTerms.Sum<T, RowTerms<T>>(batch, rows, columns, new(x, rows, columns, null, lengths), totals.Pointer);
        for (long i = 0; i < (long)batch * columns; i++)
        {
            y[i] = T.CreateTruncating(totals.Pointer[i] / Math.Max(1, Valid(lengths, i / columns, rows)));
        }
    }

    /// <summary>dx = dy[b] / n in a sample's first n rows, 0 after them.</summary>
    public static void MeanGradient<T>(int batch, long rows, int columns, T* dy, int* lengths, T* dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using Scratch<T> shares = new((long)batch * columns);
        for (long i = 0; i < (long)batch * columns; i++)
        {
            shares.Pointer[i] = dy[i] / T.CreateTruncating(Math.Max(1, Valid(lengths, i / columns, rows)));
        }

        int block = Cut.Rows(columns), blocks = Cut.Pieces(rows, block);
        WorkerPool.Shared.For(checked(batch * blocks), new SpreadPiece<T>(rows, columns, shares.Pointer, lengths, dx, block, blocks));
    }

    private readonly struct ReplacePiece<T>(long rows, int columns, T* x, int* mask, T* row, T* y) : IParallelBody
        where T : unmanaged
    {
        public void Execute(int index)
        {
            long first = (long)index * Cut.Rows(columns);
            for (long r = first; r < Math.Min(first + Cut.Rows(columns), rows); r++)
            {
                Span<T> to = new(y + (r * columns), columns);
                T* from = mask[r] != 0 ? row : x + (r * columns);
                if (from is null)
                {
                    to.Clear();
                }
                else
                {
                    new ReadOnlySpan<T>(from, columns).CopyTo(to);
                }
            }
        }
    }

    private readonly struct KeepPiece<T>(long rows, int columns, T* x, int* lengths, T* y, int block, int blocks) : IParallelBody
        where T : unmanaged
    {
        public void Execute(int index)
        {
            long b = index / blocks, from = index % blocks * (long)block, to = Math.Min(from + block, rows), end = Math.Clamp(Valid(lengths, b, rows), from, to);
            long first = ((b * rows) + from) * columns;
            int kept = checked((int)((end - from) * columns));
            new ReadOnlySpan<T>(x + first, kept).CopyTo(new Span<T>(y + first, kept));
            new Span<T>(y + first + kept, checked((int)((to - end) * columns))).Clear();
        }
    }

    private readonly struct FeaturePiece<T>(long rows, int columns, T* x, int* mask, T* y, int block, int blocks) : IParallelBody
        where T : unmanaged
    {
        // Masks come in spans: each run of equal features is copied or cleared in all rows of the piece.
        public void Execute(int index)
        {
            long b = index / blocks, from = (b * rows) + (index % blocks * (long)block), to = Math.Min(from + block, (b + 1) * rows);
            int* masked = mask + (b * columns);
            for (int c = 0, end; c < columns; c = end)
            {
                for (end = c + 1; end < columns && masked[end] != 0 == (masked[c] != 0); end++)
                {
                }

                for (long r = from; r < to; r++)
                {
                    Span<T> run = new(y + (r * columns) + c, end - c);
                    if (masked[c] != 0)
                    {
                        run.Clear();
                    }
                    else
                    {
                        new ReadOnlySpan<T>(x + (r * columns) + c, end - c).CopyTo(run);
                    }
                }
            }
        }
    }

    private readonly struct SpreadPiece<T>(long rows, int columns, T* shares, int* lengths, T* dx, int block, int blocks) : IParallelBody
        where T : unmanaged
    {
        public void Execute(int index)
        {
            long b = index / blocks, from = index % blocks * (long)block, to = Math.Min(from + block, rows), valid = Valid(lengths, b, rows);
            for (long r = from; r < to; r++)
            {
                Span<T> row = new(dx + (((b * rows) + r) * columns), columns);
                if (r < valid)
                {
                    new ReadOnlySpan<T>(shares + (b * columns), columns).CopyTo(row);
                }
                else
                {
                    row.Clear();
                }
            }
        }
    }

    /// <summary>The rows whose mask is not 0, or those before a sample's length.</summary>
    private readonly struct RowTerms<T>(T* x, long rows, int columns, int* mask, int* lengths) : IColumnTerms<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public static int Count => 1;

        public bool Counts(int sample, long row) => (mask is null || mask[row] != 0) && row < Valid(lengths, sample, rows);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add<TV>(int sample, long row, nint i, T* sums, nint pitch)
            where TV : unmanaged, ISimd<TV, T> => (TV.Load(sums + i) + TV.Load(x + (((sample * rows) + row) * columns) + i)).Store(sums + i);
    }
}
