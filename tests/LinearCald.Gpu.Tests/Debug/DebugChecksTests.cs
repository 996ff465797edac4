namespace LinearCald.Gpu.Tests;

/// <summary>Every mistake ends in one exception that names kernel, group, lane and what was wrong, and the device stays usable.</summary>
public sealed class DebugChecksTests
{
    [Fact]
    public void AccessesOutOfBounds()
    {
        Fails(FaultyKernels.WriteBeyond, 64, "kernel WriteBeyond, group (0, 0, 0), lane 63", "write of element 64 of a view of 64 Int32 elements");
        Fails(FaultyKernels.NegativeSlice, 64, "lane 0", "of a view of -1");
        Fails(FaultyKernels.SharedBeyond, 64, "lane 63", "write of element 64 of a shared buffer of 64");
        FailsReading(FaultyKernels.ReadBefore, "lane 0", "read of element -1 of a view of 64");
    }

    [Fact]
    public void TheMessageNamesTheSourceLine() => Fails(FaultyKernels.WriteBeyond, 64, "FaultyKernels.cs:6: ");

    [Fact]
    public void TheMessageNamesTheGroup()
    {
        using DebugAccelerator device = new();
        using DeviceBuffer<int> y = device.Allocate<int>(new int[64]);
        using DeviceBuffer<int> x = device.Allocate<int>(96);
        CaldException e = Assert.Throws<CaldException>(() => device.Launch(Kernel.Of(DebugKernels.TreeSum), new LaunchShape(3, 32), x.ReadOnly, y.View));
        Assert.Contains("group (1, 0, 0), lane 0", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SharedMemoryNeverWritten() => Fails(FaultyKernels.SharedUnwritten, 64, "lane 63", "never written (byte 256 of buffer 0)");

    [Fact]
    public void Races()
    {
        Fails(FaultyKernels.ReadRace, 64, "lane 1", "race in shared memory", "lane 0 wrote what this lane reads");
        Fails(FaultyKernels.WriteRace, 64, "lane 1", "lane 0 wrote what this lane writes");
        Fails(FaultyKernels.ReuseRace, 64, "race in shared memory", "lane 63 wrote what this lane reads");
        Fails(FaultyKernels.ReadThenWrite, 64, "race in shared memory", "read what this lane writes");
        Fails(FaultyKernels.WarpBarrierAcrossWarps, 64, "race in shared memory");
    }

    [Fact]
    public void AWarpBarrierOrdersItsOwnLanes() => Run(FaultyKernels.WarpBarrierAcrossWarps, 32, LaneOrder.Shuffled);

    [Fact]
    public void LanesThatNeverMeetAreReported()
    {
        Fails(FaultyKernels.BarrierUnderCondition, 40, "cannot go on", "lanes 0–15 wait at Group.Barrier (FaultyKernels.cs:", "lanes 16–39 have ended");
        Fails(FaultyKernels.HalfWarpShuffle, 64, "lanes 0–15, 32–47 wait at Warp.ShuffleXor", "lanes 16–31, 48–63 have ended");
    }

    [Fact]
    public void LanesAtDifferentCalls()
    {
        Fails(FaultyKernels.TwoBarriers, 32, "another call of Group.Barrier");
        Fails(FaultyKernels.MixedWarpOperations, 32, "comes to a warp reduction while others of its warp wait at Warp.ShuffleXor");
    }

    [Fact]
    public void CallSitesNeedNotBeCompared()
    {
        using DebugAccelerator device = new(new DebugOptions { CompareCallSites = false });
        using DeviceBuffer<int> y = device.Allocate<int>(32);
        device.Launch(Kernel.Of(FaultyKernels.TwoBarriers), new LaunchShape(1, 32), y.View);
        Assert.Equal(Enumerable.Range(0, 32).Select(i => 1 + (i & 1)), y.ToArray());
    }

    [Fact]
    public void WarpsThatAreNotWhole() => Fails(FaultyKernels.ShuffleFromNobody, 33, "reads lane 1, but the last warp of a group of 33 threads has 1 lanes");

    [Fact]
    public void SharedAllocations()
    {
        Fails(FaultyKernels.UnequalAllocations, 32, "lane 1", "all lanes must allocate alike");
        Fails(FaultyKernels.TooMuchShared, 32, "pass the limit of 232,448 bytes");
    }

    [Fact]
    public void MisalignedVectors()
    {
        using DebugAccelerator device = new();
        using DeviceBuffer<float> x = device.Allocate<float>(64);
        CaldException e = Assert.Throws<CaldException>(() => device.Launch(Kernel.Of(FaultyKernels.Misaligned), new LaunchShape(1, 1), x.View));
        Assert.Contains("not a multiple of 16", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AsynchronousCopiesNeedWaitAndBarrier()
    {
        FailsReading(FaultyKernels.ReadBeforeWait, "asynchronous copy has not been waited for");
        FailsReading(FaultyKernels.ReadBeforeBarrier, "lane 0", "never written (byte 4 of buffer 0)");
        CaldException e = FailsReading(FaultyKernels.ReadBeforeBarrier, LaneOrder.Reverse);
        Assert.Contains("lane 63", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OrdinaryExceptionsAreNamedToo()
    {
        CaldException e = Fails(FaultyKernels.DivideByZero, 32, "kernel DivideByZero", "lane 0", "DivideByZeroException");
        Assert.IsType<DivideByZeroException>(e.InnerException);
    }

    [Fact]
    public void LaunchSizes()
    {
        using DebugAccelerator device = new();
        Kernel kernel = Kernel.Of(FaultyKernels.WriteRace);
        using DeviceBuffer<int> y = device.Allocate<int>(1);
        foreach (LaunchShape shape in new LaunchShape[] { new(0, 32), new(1, 0), new(1, 1025), new(1, new Index3(32, 33)), new(new Index3(1, 70_000), 32), new(3, 32) { Cluster = 2 } })
        {
            CaldException e = Assert.Throws<CaldException>(() => device.Launch(kernel, shape, y.View));
            Assert.Contains("kernel WriteRace: ", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ALaneThatFailsStopsTheOthers()
    {
        using DebugAccelerator device = new();
        using DeviceBuffer<int> y = device.Allocate<int>(new int[256]);
        for (int i = 0; i < 3; i++)
        {
            CaldException e = Assert.Throws<CaldException>(() => device.Launch(Kernel.Of(FaultyKernels.FailAmongWaiters), new LaunchShape(2, 256), y.View));
            Assert.Contains("lane 255", e.Message, StringComparison.Ordinal);
            Assert.All(y.ToArray(), v => Assert.Equal(0, v));
        }
    }

    private static CaldException Fails(Action<View<int>> kernel, int threads, params string[] parts)
    {
        using DebugAccelerator device = new();
        using DeviceBuffer<int> y = device.Allocate<int>(threads);
        CaldException e = Assert.Throws<CaldException>(() => device.Launch(Kernel.Of(kernel), new LaunchShape(1, threads), y.View));
        Assert.All(parts, part => Assert.True(e.Message.Contains(part, StringComparison.Ordinal), $"'{part}' is missing in: {e.Message}"));
        device.Launch(Kernel.Of(DebugKernels.Add), LaunchShape.For(0), default(ReadOnlyView<float>), default(ReadOnlyView<float>), default(View<float>), 0);
        return e;
    }

    private static void FailsReading(Action<ReadOnlyView<int>, View<int>> kernel, params string[] parts)
    {
        CaldException e = FailsReading(kernel, LaneOrder.Forward);
        Assert.All(parts, part => Assert.True(e.Message.Contains(part, StringComparison.Ordinal), $"'{part}' is missing in: {e.Message}"));
    }

    private static CaldException FailsReading(Action<ReadOnlyView<int>, View<int>> kernel, LaneOrder order)
    {
        using DebugAccelerator device = new(new DebugOptions { Order = order });
        using DeviceBuffer<int> x = device.Allocate<int>(new int[64]);
        using DeviceBuffer<int> y = device.Allocate<int>(64);
        return Assert.Throws<CaldException>(() => device.Launch(Kernel.Of(kernel), new LaunchShape(1, 64), x.ReadOnly, y.View));
    }

    private static void Run(Action<View<int>> kernel, int threads, LaneOrder order)
    {
        using DebugAccelerator device = new(new DebugOptions { Order = order });
        using DeviceBuffer<int> y = device.Allocate<int>(threads);
        device.Launch(Kernel.Of(kernel), new LaunchShape(1, threads), y.View);
        Assert.All(y.ToArray(), v => Assert.Equal(1, v));
    }
}
