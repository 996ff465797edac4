namespace LinearCald.Data.Batching;

/// <summary>
/// Which examples make up which batch. The answer is a pure function of (seed, epoch, batch), so that a run that goes on from a
/// checkpoint asks for the same place and gets the same batches. Every example comes once an epoch; the last batch holds what is left.
/// </summary>
public sealed class BatchSampler
{
    /// <summary>Batches that are sorted by length together under <see cref="BatchBucketing.Length"/>.</summary>
    public const int WindowBatches = 50;

    private readonly int[]? _lengths;
    private readonly int[]? _fixedOrder;
    private readonly ulong _seed;
    private EpochOrder? _last; // the order of the epoch asked for last; replaced as a whole, so any thread may ask

    private BatchSampler(int count, int batchSize, int[]? lengths, int[]? fixedOrder, ulong seed)
    {
        Count = count;
        BatchSize = batchSize;
        _lengths = lengths;
        _fixedOrder = fixedOrder;
        _seed = seed;
    }

    /// <summary>Examples of an epoch.</summary>
    public int Count { get; }

    /// <summary>Examples of every batch but perhaps the last.</summary>
    public int BatchSize { get; }

    /// <summary>⌈<see cref="Count"/> / <see cref="BatchSize"/>⌉.</summary>
    public int BatchesPerEpoch => (Count + BatchSize - 1) / BatchSize;

    /// <summary>Another order in every epoch, for training.</summary>
    /// <param name="lengths">Tokens of every example; <see cref="TokenizedDataset.Lengths"/>.</param>
    /// <param name="batchSize">Examples a batch.</param>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="bucketing">
    /// With bucketing, the examples of the incomplete last batch are taken off the shuffled order before anything is sorted: it is a
    /// random sample too, not always the longest texts.
    /// </param>
    public static BatchSampler Shuffled(ReadOnlySpan<int> lengths, int batchSize, ulong seed, BatchBucketing bucketing = BatchBucketing.None)
    {
        Check(lengths.Length, batchSize);
        return new BatchSampler(lengths.Length, batchSize, bucketing == BatchBucketing.Length ? lengths.ToArray() : null, null, seed);
    }

    /// <summary>The same order in every epoch, for evaluation.</summary>
    /// <param name="lengths">Tokens of every example.</param>
    /// <param name="batchSize">Examples a batch.</param>
    /// <param name="sortByLength">
    /// Longest first, so that batches hardly need padding and the largest buffers are asked for at once; predictions are mapped back by the
    /// indices of <see cref="Batch"/>. Otherwise examples stay as they are.
    /// </param>
    public static BatchSampler Sequential(ReadOnlySpan<int> lengths, int batchSize, bool sortByLength = true)
    {
        Check(lengths.Length, batchSize);
        int[] order = [.. Enumerable.Range(0, lengths.Length)];
        if (sortByLength)
        {
            SortByLength(order, lengths);
            Array.Reverse(order);
        }

        return new BatchSampler(lengths.Length, batchSize, null, order, 0);
    }

    /// <summary>The examples of a batch, as indices into the data set.</summary>
    /// <param name="epoch">From 0.</param>
    /// <param name="batch">0 … <see cref="BatchesPerEpoch"/> − 1.</param>
    public ReadOnlySpan<int> Batch(int epoch, int batch)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(batch);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(batch, BatchesPerEpoch);
        int start = batch * BatchSize;
        return OrderOf(epoch).AsSpan(start, Math.Min(BatchSize, Count - start));
    }

    private int[] OrderOf(int epoch)
    {
        if (_fixedOrder is not null)
            return _fixedOrder;
        EpochOrder? last = Volatile.Read(ref _last);
        if (last?.Epoch != epoch)
        {
            last = new EpochOrder(epoch, MakeOrder(epoch));
            Volatile.Write(ref _last, last);
        }

        return last.Indices;
    }

    private int[] MakeOrder(int epoch)
    {
        int[] order = [.. Enumerable.Range(0, Count)];
        Permutation.Shuffle<int>(order, _seed, epoch, Permutation.Purpose.Examples);
        return _lengths is null ? order : Bucketed(order, epoch, _lengths);
    }

    private int[] Bucketed(int[] order, int epoch, int[] lengths)
    {
        int fullBatches = Count / BatchSize;
        for (int first = 0; first < fullBatches; first += WindowBatches)
        {
            int batches = Math.Min(WindowBatches, fullBatches - first);
            SortByLength(order.AsSpan(first * BatchSize, batches * BatchSize), lengths);
        }

        int[] batchOrder = [.. Enumerable.Range(0, fullBatches)];
        Permutation.Shuffle<int>(batchOrder, _seed, epoch, Permutation.Purpose.Batches);
        int[] result = (int[])order.Clone();
        for (int batch = 0; batch < fullBatches; batch++)
            Array.Copy(order, batchOrder[batch] * BatchSize, result, batch * BatchSize, BatchSize);
        return result;
    }

    /// <summary>Sorts by length; equally long ones keep their order.</summary>
    private static void SortByLength(Span<int> order, ReadOnlySpan<int> lengths)
    {
        long[] keys = new long[order.Length];
        for (int i = 0; i < keys.Length; i++)
            keys[i] = ((long)lengths[order[i]] << 32) | (uint)i;
        keys.AsSpan().Sort(order);
    }

    private static void Check(int count, int batchSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        if (count == 0)
            throw new CaldException("batches of an empty data set were asked for: give a file with at least one example");
        if (count > int.MaxValue - batchSize)
            throw new CaldException($"a batch of {batchSize} is too large for {count} examples; choose a smaller batch size");
    }

    private sealed record EpochOrder(int Epoch, int[] Indices);
}
