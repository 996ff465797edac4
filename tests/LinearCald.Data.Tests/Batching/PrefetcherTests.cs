using FsCheck.Fluent;
using LinearCald.Data.Batching;

namespace LinearCald.Data.Tests.Batching;

public class PrefetcherTests
{
    [Fact]
    public void Items_come_in_order_whatever_the_threads() => Prop.ForAll(
        Gen.Choose(0, 4).Zip(Gen.Choose(1, 5)).Zip(Gen.Choose(0, 20)).ToArbitrary(), c =>
        {
            ((int threads, int ready), int first) = c;
            using Prefetcher<long> prefetcher = new(Slowly, first, end: first + 40, ready, threads);
            for (int i = first; i < first + 40; i++)
            {
                Assert.Equal(i * i, prefetcher.Take(i));
            }

            Assert.Throws<ArgumentOutOfRangeException>(() => prefetcher.Take(first + 40));
        }).Holds(20);

    [Fact]
    public void Jumps_begin_anew() => Prop.ForAll(Gen.ListOf(Gen.Choose(0, 50)).Zip(Gen.Choose(0, 3)).ToArbitrary(), c =>
    {
        using Prefetcher<long> prefetcher = new(Slowly, ready: 3, threads: c.Item2);
        foreach (int number in c.Item1)
        {
            Assert.Equal((long)number * number, prefetcher.Take(number));
            Assert.Equal((number + 1L) * (number + 1), prefetcher.Take(number + 1));
        }
    }).Holds(20);

    [Fact]
    public void No_more_is_made_than_may_be_ready()
    {
        int made = 0;
        using Prefetcher<long> prefetcher = new(number => Interlocked.Increment(ref made), ready: 4, threads: 3);
        prefetcher.Take(0);
        for (int i = 0; i < 100 && Volatile.Read(ref made) < 5; i++)
        {
            Thread.Sleep(10);
        }

        Thread.Sleep(50);
        Assert.Equal(5, Volatile.Read(ref made)); // the one taken, and four
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void A_fault_reaches_the_one_who_takes_the_item(int threads)
    {
        using Prefetcher<long> prefetcher = new(
            number => number == 3 ? throw new CaldException($"item {number} is damaged") : number, ready: 2, threads: threads);
        Assert.Equal([0, 1, 2], new long[] { prefetcher.Take(0), prefetcher.Take(1), prefetcher.Take(2) });
        Assert.Equal("item 3 is damaged", Assert.Throws<CaldException>(() => prefetcher.Take(3)).Message);
        Assert.Equal(4, prefetcher.Take(4));
        Assert.Throws<CaldException>(() => prefetcher.Take(3));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Disposing_ends_it(int threads)
    {
        Prefetcher<long> prefetcher = new(Slowly, ready: 2, threads: threads);
        prefetcher.Take(0);
        prefetcher.Dispose();
        Assert.Throws<ObjectDisposedException>(() => prefetcher.Take(1));
    }

    private static long Slowly(long number)
    {
        if (number % 3 == 0)
        {
            Thread.Yield();
        }

        return number * number;
    }
}
