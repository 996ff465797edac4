using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>What the rows of a matrix [rows, columns] add to one or more sums a column.</summary>
internal unsafe interface IColumnTerms<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Sums a column.</summary>
    static abstract int Count { get; }

    /// <summary>Whether a row adds anything.</summary>
    bool Counts(int sample, long row);

    /// <summary>Adds the row's terms of columns i … i + TV.Width − 1 to sums[i], sums[pitch + i], …</summary>
    void Add<TV>(int sample, long row, nint i, T* sums, nint pitch)
        where TV : unmanaged, ISimd<TV, T>;
}

/// <summary>
/// Sums over the rows of matrices, column by column: in T over some rows, over those sums in order in float64. Cut by the shape alone. Floor: one read of what the
/// terms read.
/// </summary>
internal static unsafe class ColumnTerms
{
    private const int MostPieces = 32;
    private const int BlockElements = 16384;
    private const int MostBlockRows = 256;

    /// <summary>totals[b, s, c] = Σ over the rows of sample b of term s in column c.</summary>
    /// <param name="batch">Matrices.</param>
    /// <param name="rows">Rows of each.</param>
    /// <param name="columns">Columns of each.</param>
    /// <param name="terms">The terms.</param>
    /// <param name="totals">[batch, Count, columns]: written.</param>
    public static void Sum<T, TTerms>(int batch, long rows, int columns, TTerms terms, double* totals)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTerms : struct, IColumnTerms<T>
    {
        int block = (int)Math.Clamp(BlockElements / Math.Max(1, columns), 8, MostBlockRows);
        long pieceRows = Math.Max(1, (Cut.Pieces(rows, block) + MostPieces - 1) / MostPieces) * (long)block;
        int pieces = Cut.Pieces(rows, pieceRows);
        int width = TTerms.Count * columns;
        using Scratch<double> partials = new((long)batch * pieces * width);
        WorkerPool.Shared.For(batch * pieces, new Piece<T, TTerms>(rows, columns, block, pieceRows, pieces, terms, partials.Pointer));
        for (int b = 0; b < batch; b++)
        {
            Span<double> total = new(totals + ((long)b * width), width);
            total.Clear();
            for (int piece = 0; piece < pieces; piece++)
            {
                double* partial = partials.Pointer + ((((long)b * pieces) + piece) * width);
                for (int c = 0; c < width; c++)
                {
                    total[c] += partial[c];
                }
            }
        }
    }

    private readonly struct Piece<T, TTerms>(long rows, int columns, int block, long pieceRows, int pieces, TTerms terms, double* partials) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTerms : struct, IColumnTerms<T>
    {
        public void Execute(int index)
        {
            int sample = index / pieces, width = TTerms.Count * columns;
            long from = index % pieces * pieceRows, to = Math.Min(from + pieceRows, rows);
            double* partial = partials + ((long)index * width);
            new Span<double>(partial, width).Clear();
            using Scratch<T> sums = new(width);
            for (long first = from; first < to; first += block)
            {
                new Span<T>(sums.Pointer, width).Clear();
                for (long r = first; r < Math.Min(first + block, to); r++)
                {
                    if (terms.Counts(sample, r))
                    {
                        SimdLoop.For<T, RowBody<T, TTerms>>(0, columns, new(terms, sample, r, sums.Pointer, columns));
                    }
                }

                for (int c = 0; c < width; c++)
                {
                    partial[c] += double.CreateTruncating(sums.Pointer[c]);
                }
            }
        }
    }

    private readonly struct RowBody<T, TTerms>(TTerms terms, int sample, long row, T* sums, nint pitch) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTerms : struct, IColumnTerms<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> => terms.Add<TV>(sample, row, i, sums, pitch);
    }
}
