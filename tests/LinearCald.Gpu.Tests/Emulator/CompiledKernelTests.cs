using FsCheck.Fluent;
using LinearCald.Testing.Ptx;

namespace LinearCald.Gpu.Tests.Emulator;

/// <summary>Kernels compiled to PTX and run by the emulator, in every order.</summary>
public sealed class CompiledKernelTests
{
    public static TheoryData<EmulatorOptions> Orders { get; } = [
        new EmulatorOptions(), new EmulatorOptions { Schedule = Schedule.Backward }, new EmulatorOptions { Schedule = Schedule.Shuffled, Seed = 1 }];

    [Theory]
    [MemberData(nameof(Orders))]
    public void AddsVectors(EmulatorOptions options)
    {
        using EmulatorAccelerator device = new(options);
        Kernel kernel = Kernel.Of(DebugKernels.Add);
        Prop.ForAll(Gen.Choose(1, 700).ToArbitrary(), n =>
        {
            float[] x = [.. Enumerable.Range(0, n).Select(static i => i * 0.5f)];
            using DeviceBuffer<float> a = device.Allocate<float>(x);
            using DeviceBuffer<float> b = device.Allocate<float>(x);
            using DeviceBuffer<float> c = device.Allocate<float>(n);
            device.Launch(kernel, LaunchShape.For(n, 128), a.ReadOnly, b.ReadOnly, c.View, n);
            Assert.Equal([.. x.Select(static v => v + v)], c.ToArray());
        }).Holds(10);
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public void AddsInATree(EmulatorOptions options)
    {
        using EmulatorAccelerator device = new(options);
        int[] x = [.. Enumerable.Range(0, 4 * 256).Select(static i => (i * 7) - 300)];
        using DeviceBuffer<int> input = device.Allocate<int>(x);
        using DeviceBuffer<int> sums = device.Allocate<int>(4);
        device.Launch(Kernel.Of(DebugKernels.TreeSum), new LaunchShape(4, 128), input.ReadOnly, sums.View);
        Assert.Equal([.. x.Chunk(256).Select(static c => c.Sum())], sums.ToArray());
    }

    [Fact]
    public void GraphsRepeatTheirWork()
    {
        using EmulatorAccelerator device = new();
        float[] x = [1, 2, 3, 4];
        using DeviceBuffer<float> a = device.Allocate<float>(x);
        using DeviceBuffer<float> b = device.Allocate<float>(4);
        device.BeginCapture();
        using (DeviceBuffer<float> between = device.Allocate<float>(4))
        {
            device.CopyOnDevice(a.Address, between.Address, 16);
            device.CopyOnDevice(between.Address, b.Address, 16);
        }

        device.Launch(Kernel.Of(DebugKernels.Add), new LaunchShape(1, 32), a.ReadOnly, b.ReadOnly, a.View, 4);
        Assert.Throws<CaldException>(() => a.ToArray());
        CapturedGraph graph = device.EndCapture();
        Assert.Equal(x, a.ToArray());
        Assert.Equal(new GraphContents(1, 2, 0, 0, true), graph.Contents);
        graph.Launch();
        graph.Launch();
        Assert.Equal([4f, 8, 12, 16], a.ToArray());

        // What was freed while it was recorded stays with the graph.
        Assert.Equal(3, device.LiveBlocks);
        graph.Dispose();
        Assert.Equal(2, device.LiveBlocks);
        Assert.Throws<ObjectDisposedException>(graph.Launch);
    }

    [Fact]
    public void NewMemoryIsNaNAndFreedMemoryIsGone()
    {
        using EmulatorAccelerator device = new();
        DeviceBuffer<float> a = device.Allocate<float>(3);
        Assert.All(a.ToArray(), static v => Assert.True(float.IsNaN(v)));
        nint address = a.Address;
        a.Dispose();
        Assert.Equal(0, device.LiveBlocks);
        CaldException e = Assert.Throws<CaldException>(() => device.Fill(address, 4, 0));
        Assert.Contains("there is no live allocation", e.Message, StringComparison.Ordinal);
    }
}
