using FsCheck;
using FsCheck.Fluent;
using LinearCald.Data.Batching;

namespace LinearCald.Data.Tests.Batching;

public class BatchSamplerTests
{
    /// <summary>A data set's lengths, a batch size, a seed, and the bucketing.</summary>
    private static readonly Gen<(int[] Lengths, int BatchSize, ulong Seed, BatchBucketing Bucketing)> Cases =
        from count in Gen.Choose(1, 700)
        from batchSize in Gen.Choose(1, 9)
        from seed in Gen.Choose(0, int.MaxValue)
        from bucketing in Gen.Elements(BatchBucketing.None, BatchBucketing.Length)
        select (LengthsOf(count, seed), batchSize, (ulong)seed * 0x9E3779B97F4A7C15, bucketing);

    [Fact]
    public void Every_example_comes_once_an_epoch() => Prop.ForAll(Cases.ToArbitrary(), c =>
    {
        BatchSampler sampler = BatchSampler.Shuffled(c.Lengths, c.BatchSize, c.Seed, c.Bucketing);
        Assert.Equal((c.Lengths.Length + c.BatchSize - 1) / c.BatchSize, sampler.BatchesPerEpoch);
        Assert.Equal(Enumerable.Range(0, c.Lengths.Length), Epoch(sampler, 3).SelectMany(batch => batch).Order());
        Assert.All(Epoch(sampler, 3).SkipLast(1), batch => Assert.Equal(c.BatchSize, batch.Length));
    }).Holds();

    [Fact]
    public void A_resumed_run_gets_the_same_batches() => Prop.ForAll(Cases.ToArbitrary(), c =>
    {
        BatchSampler whole = BatchSampler.Shuffled(c.Lengths, c.BatchSize, c.Seed, c.Bucketing);
        int[][][] epochs = [.. Enumerable.Range(0, 3).Select(epoch => Epoch(whole, epoch).ToArray())];
        BatchSampler resumed = BatchSampler.Shuffled(c.Lengths, c.BatchSize, c.Seed, c.Bucketing);
        int middle = resumed.BatchesPerEpoch / 2;
        Assert.Equal(epochs[2][middle], resumed.Batch(2, middle).ToArray());
        Assert.Equal(epochs[1][^1], resumed.Batch(1, resumed.BatchesPerEpoch - 1).ToArray());
    }).Holds();

    [Theory]
    [InlineData(BatchBucketing.None)]
    [InlineData(BatchBucketing.Length)]
    public void Epochs_and_seeds_have_orders_of_their_own(BatchBucketing bucketing)
    {
        int[] lengths = LengthsOf(500, 1);
        BatchSampler sampler = BatchSampler.Shuffled(lengths, 8, 11, bucketing);
        BatchSampler other = BatchSampler.Shuffled(lengths, 8, 12, bucketing);
        int[] first = [.. Epoch(sampler, 0).SelectMany(b => b)], second = [.. Epoch(sampler, 1).SelectMany(b => b)];
        Assert.NotEqual(first, second);
        Assert.NotEqual(first, Epoch(other, 0).SelectMany(b => b));
        Assert.NotEqual(Enumerable.Range(0, 500), first);
    }

    [Fact]
    public void Shuffled_places_are_uniform()
    {
        // Where example 0 of 8 ends up over 8000 epochs: 1000 ± 30 (one standard deviation) in each place.
        BatchSampler sampler = BatchSampler.Shuffled(new int[8], 1, 5);
        int[] counts = new int[8];
        for (int epoch = 0; epoch < 8000; epoch++)
            counts[Array.FindIndex(Epoch(sampler, epoch).ToArray(), batch => batch[0] == 0)]++;
        Assert.All(counts, count => Assert.InRange(count, 850, 1150));
    }

    [Fact]
    public void Bucketing_saves_padding_and_shuffles_batches()
    {
        int[] lengths = LengthsOf(4003, 9);
        BatchSampler plain = BatchSampler.Shuffled(lengths, 16, 2), bucketed = BatchSampler.Shuffled(lengths, 16, 2, BatchBucketing.Length);
        long valid = lengths.Sum();
        double plainShare = valid / (double)Padded(plain, lengths), bucketedShare = valid / (double)Padded(bucketed, lengths);
        Assert.True(bucketedShare > 0.9, $"{bucketedShare:P1} of the bucketed batches is valid");
        Assert.True(plainShare < 0.7, $"{plainShare:P1} of the plain batches is valid");
        int[] longest = [.. Epoch(bucketed, 0).Select(batch => batch.Max(i => lengths[i]))];
        Assert.NotEqual(longest.Order(), longest);
    }

    [Fact]
    public void The_incomplete_batch_is_a_random_sample()
    {
        // Two examples are over every epoch. Were they taken after the sorting, they would always be among the longest.
        int[] lengths = [.. Enumerable.Range(1, 34)];
        BatchSampler sampler = BatchSampler.Shuffled(lengths, 4, 3, BatchBucketing.Length);
        double mean = Enumerable.Range(0, 400).Average(epoch => sampler.Batch(epoch, 8).ToArray().Average(i => lengths[i]));
        Assert.InRange(mean, 15.5, 19.5);
    }

    [Fact]
    public void Sequential_keeps_or_sorts_the_order() => Prop.ForAll(Cases.ToArbitrary(), c =>
    {
        BatchSampler plain = BatchSampler.Sequential(c.Lengths, c.BatchSize, sortByLength: false);
        BatchSampler sorted = BatchSampler.Sequential(c.Lengths, c.BatchSize);
        int[] order = [.. Epoch(sorted, 0).SelectMany(b => b)];
        Assert.Equal(Enumerable.Range(0, c.Lengths.Length), Epoch(plain, 0).SelectMany(b => b));
        Assert.Equal(Enumerable.Range(0, c.Lengths.Length), order.Order());
        Assert.Equal(c.Lengths.OrderDescending(), order.Select(i => c.Lengths[i]));
        Assert.Equal(order, Epoch(sorted, 4).SelectMany(b => b));
    }).Holds();

    [Fact]
    public void An_empty_data_set_is_refused()
    {
        Assert.Contains("empty data set", Assert.Throws<CaldException>(() => BatchSampler.Shuffled([], 4, 0)).Message, StringComparison.Ordinal);
        Assert.Throws<CaldException>(() => BatchSampler.Sequential([], 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => BatchSampler.Sequential([1], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => { BatchSampler.Sequential([1], 1).Batch(0, 1); });
    }

    private static int[] LengthsOf(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => 1 + random.Next(200))];
    }

    private static IEnumerable<int[]> Epoch(BatchSampler sampler, int epoch) =>
        Enumerable.Range(0, sampler.BatchesPerEpoch).Select(batch => sampler.Batch(epoch, batch).ToArray());

    private static long Padded(BatchSampler sampler, int[] lengths) =>
        Epoch(sampler, 0).Sum(batch => (long)batch.Length * batch.Max(i => lengths[i]));
}
