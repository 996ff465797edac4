using FsCheck.Fluent;
using LinearCald.Gpu.Driver;

namespace LinearCald.Gpu.Tests.Driver;

public class DeviceMemoryPoolTests
{
    [Fact]
    public void A_class_holds_the_request_wastes_little_and_keeps_the_alignment()
    {
        Prop.ForAll(
            Gen.Choose(0, 36).SelectMany(bits => Gen.Choose(1, 1 << 20).Select(n => Math.Max(1, ((1L << bits) * n) >> 20))).ToArbitrary(),
            bytes =>
            {
                long size = DeviceMemoryPool.SizeClass(bytes);
                Assert.True(size >= bytes);
                Assert.Equal(0, size % 256);
                Assert.Equal(size, DeviceMemoryPool.SizeClass(size));
                Assert.True(size <= Math.Max(bytes + (bytes / 4) + 255, (bytes + (2 << 20) - 1) >> 21 << 21), $"{bytes} → {size}");
            }).Holds();
    }

    [Fact]
    public void Blocks_do_not_overlap_and_a_repeated_pattern_asks_the_source_for_nothing_more()
    {
        Prop.ForAll(
            Gen.Choose(1, 5 << 20).ListOf().Select(l => l.ToArray()).ToArbitrary(),
            sizes =>
            {
                Source source = new(1L << 40);
                DeviceMemoryPool pool = new(source, "cuda:0");
                for (int round = 0; round < 3; round++)
                {
                    long before = pool.Statistics.Allocations;
                    List<(nint Address, int Bytes)> blocks = [.. sizes.Select(b => (pool.Allocate(b, "a test"), b))];
                    blocks.Sort();
                    for (int i = 1; i < blocks.Count; i++)
                    {
                        Assert.True(blocks[i].Address >= blocks[i - 1].Address + blocks[i - 1].Bytes);
                    }

                    Assert.All(blocks, b => pool.Free(b.Address));
                    Assert.True(round == 0 || pool.Statistics.Allocations == before, "a second round of the same sizes reached the source");
                }

                Assert.Equal(0, pool.Statistics.InUse);
                Assert.Equal(source.Live, pool.Statistics.Pooled);
                pool.Trim();
                Assert.Equal(0, source.Live);
            }).Holds();
    }

    [Fact]
    public void When_memory_runs_out_free_blocks_are_given_back_first()
    {
        DeviceMemoryPool pool = new(new Source(10 << 20), "cuda:0");
        pool.Free(pool.Allocate(8 << 20, "the first"));
        Assert.NotEqual(0, pool.Allocate(4 << 20, "the second"));
        Assert.Equal(new AcceleratorMemory(4 << 20, 0, 8 << 20, 2), pool.Statistics);
    }

    [Fact]
    public void Out_of_memory_names_what_was_asked_for_what_and_what_there_is()
    {
        DeviceMemoryPool pool = new(new Source(10 << 20), "cuda:3");
        pool.Allocate(4 << 20, "weights");
        pool.Free(pool.Allocate(2 << 20, "a step"));
        string message = Assert.Throws<CaldException>(() => pool.Allocate(7_000_000, "the attention matrix")).Message;
        Assert.Contains("out of memory on cuda:3: 7,000,000 bytes asked for the attention matrix", message);
        Assert.Contains("of 10,485,760 bytes 6,291,456 are free, 4,194,304 in use here and 2,097,152 were kept", message);
        Assert.Contains("smaller batch", message);
    }

    [Fact]
    public void The_limit_for_tests_counts_what_is_pooled()
    {
        DeviceMemoryPool pool = new(new Source(1L << 40), "cuda:0") { Limit = 4 << 20 };
        nint first = pool.Allocate(2 << 20, "a test");
        pool.Allocate(2 << 20, "a test");
        Assert.Throws<CaldException>(() => pool.Allocate(1, "a test"));
        pool.Free(first);
        Assert.NotEqual(0, pool.Allocate(1, "a test"));
    }

    [Fact]
    public void Freeing_twice_is_an_error()
    {
        DeviceMemoryPool pool = new(new Source(1 << 30), "cuda:0");
        nint address = pool.Allocate(100, "a test");
        pool.Free(address);
        Assert.Contains("freed twice", Assert.Throws<CaldException>(() => pool.Free(address)).Message);
    }

    [Fact]
    public void What_a_recording_used_stays_with_recordings_until_the_last_graph_is_dropped()
    {
        DeviceMemoryPool pool = new(new Source(1 << 30), "cuda:0");
        pool.BeginRecording();
        nint inside = pool.Allocate(1000, "a test");
        nint kept = pool.Allocate(5000, "a test");
        pool.Free(inside);
        Assert.Equal(inside, pool.Allocate(1000, "a test"));
        pool.Free(inside);
        pool.EndRecording(kept: true);

        // Replays write to these addresses: nobody else may have them, also when the one that outlived the recording is freed.
        Assert.NotEqual(inside, pool.Allocate(1000, "a test"));
        pool.Free(kept);
        Assert.NotEqual(kept, pool.Allocate(5000, "a test"));

        pool.BeginRecording();
        Assert.Equal(kept, pool.Allocate(5000, "a test"));
        pool.Free(kept);
        pool.EndRecording(kept: true);
        pool.GraphDropped();
        Assert.NotEqual(kept, pool.Allocate(5000, "a test"));
        pool.GraphDropped();
        Assert.Equal(kept, pool.Allocate(5000, "a test"));
        Assert.Equal(inside, pool.Allocate(1000, "a test"));
    }

    [Fact]
    public void A_recording_that_came_to_nothing_keeps_nothing()
    {
        DeviceMemoryPool pool = new(new Source(1 << 30), "cuda:0");
        pool.BeginRecording();
        pool.Free(pool.Allocate(1000, "a test"));
        pool.EndRecording(kept: false);
        Assert.Equal(new AcceleratorMemory(0, 1024, 1024, 1), pool.Statistics);
    }

    /// <summary>Addresses without memory behind them, never given out twice.</summary>
    private sealed class Source(long capacity) : IBlockSource
    {
        private readonly Dictionary<nint, long> _blocks = [];
        private nint _next = 1 << 20;

        public long Live { get; private set; }

        public bool TryAllocate(long bytes, out nint address)
        {
            address = 0;
            if (Live + bytes > capacity)
            {
                return false;
            }

            address = _next;
            _next += (nint)bytes;
            Live += bytes;
            _blocks.Add(address, bytes);
            return true;
        }

        public void Free(nint address)
        {
            _blocks.Remove(address, out long bytes);
            Live -= bytes;
        }

        public (long Free, long Total) Available() => (capacity - Live, capacity);
    }
}
