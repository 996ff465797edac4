using LinearCald.Data.Batching;

namespace LinearCald.Data.Language;

/// <summary>
/// Rows in batches. What a batch holds is a pure function of (seed, epoch, batch), so that a run that goes on from a checkpoint asks for the
/// same place and gets the same batch. Any thread may ask.
/// </summary>
public sealed class LanguageBatches
{
    private readonly bool _shuffled;
    private readonly ulong _seed;
    private Order? _last; // of the epoch asked for last; replaced as a whole

    /// <param name="rows">The data.</param>
    /// <param name="batchSize">Rows a batch, B.</param>
    /// <param name="order">Order of the rows.</param>
    /// <param name="seed">Seed of the run; for <see cref="RowOrder.Shuffled"/>.</param>
    /// <param name="dropLast">Leave out the rows at an epoch's end that do not fill a batch. At least one batch is left.</param>
    /// <exception cref="CaldException">Rows are to be dropped and there is not one full batch.</exception>
    public LanguageBatches(LanguageRows rows, int batchSize, RowOrder order = RowOrder.Sequential, ulong seed = 0, bool dropLast = false)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (batchSize < 1)
            throw new CaldException($"a batch of {batchSize} rows is not possible; choose at least 1");
        if (dropLast && rows.Count < batchSize)
            throw new CaldException($"{rows.Count} rows do not fill one batch of {batchSize}; choose a smaller batch, or a shorter sequence length");
        Rows = rows;
        BatchSize = batchSize;
        BatchesPerEpoch = (int)(((long)rows.Count + (dropLast ? 0 : batchSize - 1)) / batchSize);
        _shuffled = order == RowOrder.Shuffled;
        _seed = seed;
    }

    /// <summary>The data.</summary>
    public LanguageRows Rows { get; }

    /// <summary>Rows of every batch but perhaps the last.</summary>
    public int BatchSize { get; }

    /// <summary>Batches of an epoch.</summary>
    public int BatchesPerEpoch { get; }

    /// <summary>A batch.</summary>
    /// <param name="epoch">From 0.</param>
    /// <param name="batch">0 … <see cref="BatchesPerEpoch"/> − 1.</param>
    /// <exception cref="CaldException">An id that the data or the vocabulary do not allow.</exception>
    public LanguageBatch Batch(int epoch, int batch) => Rows.Collate(RowsOf(epoch, batch));

    /// <summary>The rows of a batch.</summary>
    /// <param name="epoch">From 0.</param>
    /// <param name="batch">0 … <see cref="BatchesPerEpoch"/> − 1.</param>
    public int[] RowsOf(int epoch, int batch)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(batch);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(batch, BatchesPerEpoch);
        int start = batch * BatchSize;
        int[] rows = new int[Math.Min(BatchSize, Rows.Count - start)];
        if (_shuffled)
        {
            OrderOf(epoch).AsSpan(start, rows.Length).CopyTo(rows);
        }
        else
        {
            for (int i = 0; i < rows.Length; i++)
                rows[i] = start + i;
        }

        return rows;
    }

    private int[] OrderOf(int epoch)
    {
        Order? last = Volatile.Read(ref _last);
        if (last?.Epoch != epoch)
        {
            int[] rows = new int[Rows.Count];
            for (int i = 0; i < rows.Length; i++)
                rows[i] = i;
            Permutation.Shuffle<int>(rows, _seed, epoch, Permutation.Purpose.Examples);
            last = new Order(epoch, rows);
            Volatile.Write(ref _last, last);
        }

        return last.Rows;
    }

    private sealed record Order(int Epoch, int[] Rows);
}
