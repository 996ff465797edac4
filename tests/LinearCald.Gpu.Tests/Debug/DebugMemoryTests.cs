namespace LinearCald.Gpu.Tests;

/// <summary>Memory, capture and stops of the debug device.</summary>
public sealed class DebugMemoryTests
{
    [Fact]
    public void FreshMemoryIsNaN()
    {
        using DebugAccelerator device = new();
        using DeviceBuffer<float> x = device.Allocate<float>(100);
        Assert.All(x.ToArray(), v => Assert.True(float.IsNaN(v)));
    }

    [Fact]
    public void BlocksAreCountedAndReused()
    {
        using DebugAccelerator device = new();
        nint a = device.Allocate(1000, "a test");
        nint b = device.Allocate(24, "a test");
        Assert.Equal(0, a % 256);
        device.Free(a);
        Assert.Equal(new AcceleratorMemory(24, 1000, 1024, 2), device.Memory);
        Assert.Equal(a, device.Allocate(1000, "a test"));
        device.Free(a);
        device.Free(b);
        device.Trim();
        Assert.Equal(new AcceleratorMemory(0, 0, 1024, 2), device.Memory);
        Assert.Throws<CaldException>(() => device.Free(a));
    }

    [Fact]
    public void WritesOutsideOfABlockAreFoundWhenItIsFreed()
    {
        using DebugAccelerator device = new();
        DeviceBuffer<int> x = device.Allocate<int>(16, "a short block");
        device.Launch(Kernel.Of(FaultyKernels.WriteBehindLength), new LaunchShape(1, 1), x.View, 20L);
        CaldException e = Assert.Throws<CaldException>(x.Dispose);
        Assert.Contains("a short block: at byte 80", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OutOfMemorySaysHowMuch()
    {
        using DebugAccelerator device = new(new DebugOptions { Limits = new DeviceLimits { MemoryBytes = 1000 } });
        using DeviceBuffer<byte> x = device.Allocate<byte>(600);
        CaldException e = Assert.Throws<CaldException>(() => device.Allocate<byte>(500, "activations"));
        Assert.Contains("500 bytes for activations, with 600 in use", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CopiesMustLieInOneBlock()
    {
        using DebugAccelerator device = new();
        using DeviceBuffer<byte> x = device.Allocate<byte>(600);
        device.Fill(x.Address + 100, 500, 7);
        device.CopyOnDevice(x.Address + 100, x.Address, 100);
        Assert.All(x.ToArray(), v => Assert.Equal(7, v));
        Assert.Throws<CaldException>(() => device.Fill(x.Address + 100, 501, 7));
        Assert.Throws<CaldException>(() => device.CopyOnDevice(x.Address - 1, x.Address, 1));
    }

    [Fact]
    public void CapturedWorkIsReplayed()
    {
        using DebugAccelerator device = new();
        using DeviceBuffer<float> x = device.Allocate<float>([1, 2, 3]);
        using DeviceBuffer<float> y = device.Allocate<float>(new float[3]);
        device.BeginCapture();
        using (DeviceBuffer<float> between = device.Allocate<float>(3))
        {
            device.Launch(Kernel.Of(DebugKernels.Add), LaunchShape.For(3), x.ReadOnly, x.ReadOnly, between.View, 3);
            device.CopyOnDevice(between.Address, y.Address, 12);
        }

        device.CopyOnDevice(y.Address, x.Address, 12);
        Assert.Throws<CaldException>(() => y.ToArray());
        CapturedGraph graph = device.EndCapture();
        Assert.Equal(new GraphContents(1, 2, 0, 0, true), graph.Contents);
        Assert.Equal([0f, 0f, 0f], y.ToArray());
        graph.Launch();
        graph.Launch();
        Assert.Equal([4f, 8f, 12f], y.ToArray());

        // What was freed while it was recorded stays with the graph.
        Assert.Equal(36, device.Memory.InUse);
        graph.Dispose();
        Assert.Equal(24, device.Memory.InUse);
        Assert.Throws<ObjectDisposedException>(graph.Launch);
    }

    [Fact]
    public async Task ALaneStopsShowsItsValueAndGoesOn()
    {
        using DebugAccelerator device = new();
        using DeviceBuffer<int> x = device.Allocate<int>(Enumerable.Range(0, 16).ToArray());
        using DeviceBuffer<int> y = device.Allocate<int>(new int[4]);
        using SemaphoreSlim stopped = new(0);
        using SemaphoreSlim goOn = new(0);
        List<LaneStop> stops = [];
        device.Stopped = stop =>
        {
            stops.Add(stop);
            stopped.Release();
            goOn.Wait();
        };

        Kernel kernel = Kernel.Of(DebugKernels.Stopping);
        Task launch = Task.Run(() => device.Launch(kernel, new LaunchShape(1, 4), x.ReadOnly, y.View));
        await stopped.WaitAsync();
        Assert.Equal(new LaneStop("sum", 8 + 9, kernel, new Index3(0, 0, 0), 2), stops[0]);
        Assert.Equal([6, 22, 0, 0], y.ToArray());
        goOn.Release();
        await stopped.WaitAsync();
        Assert.Equal(38, stops[1].Value);
        goOn.Release();
        await launch;
        Assert.Equal([6, 22, 38, 54], y.ToArray());
        Assert.Equal(2, stops.Count);
    }

    [Fact]
    public void LanguageMembersNeedAKernel() => Assert.Throws<CaldException>(() => Group.Thread);
}
