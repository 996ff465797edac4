namespace LinearCald.Tensors.Cpu;

/// <summary>What one row adds to a loss.</summary>
internal interface IRowTerm
{
    /// <param name="row">0 … rows − 1; each is asked for once, on any thread. Outputs that belong to the row may be written.</param>
    double Term(long row);
}

/// <summary>A loss over the rows of a matrix: terms in parallel, added in float64 within fixed groups of rows and then over the groups in order.</summary>
internal static unsafe class RowSum
{
    /// <summary>Σ term(row).</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Elements that one row reads: sets how many rows make a piece of work.</param>
    /// <param name="term">The rows' terms.</param>
    public static double Of<TTerm>(long rows, long columns, TTerm term)
        where TTerm : struct, IRowTerm
    {
        long size = Math.Max(Cut.Rows(columns), (rows + Cut.Partials - 1) / Cut.Partials);
        int pieces = Cut.Pieces(rows, size);
        double* partials = stackalloc double[Cut.Partials];
        WorkerPool.Shared.For(pieces, new Piece<TTerm>(rows, size, partials, term));
        double total = 0;
        for (int i = 0; i < pieces; i++)
        {
            total += partials[i];
        }

        return total;
    }

    private readonly struct Piece<TTerm>(long rows, long size, double* partials, TTerm term) : IParallelBody
        where TTerm : struct, IRowTerm
    {
        public void Execute(int index)
        {
            double total = 0;
            for (long row = index * size; row < Math.Min((index + 1) * size, rows); row++)
            {
                total += term.Term(row);
            }

            partials[index] = total;
        }
    }
}
