using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Memory;

namespace LinearCald.Tensors.Cuda.Tests;

/// <summary>The device itself, on the debug accelerator.</summary>
public sealed class GpuDeviceTests : IDisposable
{
    private static readonly Kernel s_draw = Kernel.Of(Draw);
    private readonly DebugAccelerator _accelerator = new();
    private readonly GpuDevice _device;

    public GpuDeviceTests() => _device = new GpuDevice(_accelerator);

    [Fact]
    public void Values_go_to_the_device_and_back()
    {
        using MemoryScope scope = MemoryScope.Begin();
        float[] values = [1, 2, 3, 4, 5, 6];
        Tensor x = Tensor.From(_device, new Shape(2, 3), values);
        Assert.Equal(values, x.ToArray<float>());
        x.Set<float>([6, 5, 4, 3, 2, 1]);
        Assert.Equal(6, x.ToArray<float>()[0]);
    }

    [Fact]
    public void Closing_a_scope_gives_the_memory_back_and_a_steady_state_asks_for_none()
    {
        long before = _device.Memory.InUse;
        for (int step = 0; step < 3; step++)
        {
            long allocations = _device.Memory.Allocations;
            using (MemoryScope.Begin())
            {
                Tensor.From(_device, new Shape(1000), new float[1000]);
                Tensor.From(_device, new Shape(77), new float[77]);
            }

            Assert.Equal(before, _device.Memory.InUse);
            Assert.True(step == 0 || _device.Memory.Allocations == allocations);
        }
    }

    [Fact]
    public void A_tensor_that_was_dropped_is_freed_at_a_later_allocation()
    {
        long before = _device.Memory.InUse;
        Drop();
        for (int i = 0; i < 10 && _device.Memory.InUse > before; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            _device.TrimMemory();
        }

        Assert.Equal(before, _device.Memory.InUse);

        void Drop() => Tensor.Persistent(() => Tensor.From(_device, new Shape(1000), new float[1000]));
    }

    [Fact]
    public void A_replay_shifts_the_streams_drawn_for_it_and_no_others()
    {
        using DeviceBuffer<ulong> streams = _accelerator.Allocate<ulong>(2);
        void Work()
        {
            _accelerator.Launch(s_draw, new LaunchShape(1, 1), streams.View, _device.KeyFor(new RandomKey(1, 1005)), 0);
            _accelerator.Launch(s_draw, new LaunchShape(1, 1), streams.View, _device.KeyFor(new RandomKey(1, 7)), 1);
        }

        Work();
        Assert.Equal([1005ul, 7], streams.ToArray());
        using RecordedWork recorded = _device.Record(1000, Work)!;
        recorded.Replay(5000);
        Assert.Equal([5005ul, 7], streams.ToArray());
        recorded.Replay(1000);
        Assert.Equal([1005ul, 7], streams.ToArray());
        recorded.Replay(0);
        Work();
        Assert.Equal([1005ul, 7], streams.ToArray());
    }

    [Fact]
    public void Work_that_fails_while_it_is_recorded_leaves_the_device_usable()
    {
        Assert.Throws<CaldException>(() => _device.Record(0, _device.Synchronize));
        using DeviceBuffer<ulong> streams = _accelerator.Allocate<ulong>(1);
        _accelerator.Launch(s_draw, new LaunchShape(1, 1), streams.View, _device.KeyFor(new RandomKey(1, 3)), 0);
        Assert.Equal([3ul], streams.ToArray());
    }

    [Fact]
    public void The_multiply_add_peak_is_a_number() => Assert.InRange(_device.MeasurePeak(), 1e-6, 1e6);

    [Fact]
    public void Devices_are_found_by_name()
    {
        Assert.Equal("cpu", Device.Parse("cpu").Name);
        Assert.Same(Device.Parse("debug"), Device.Parse("debug"));
        Assert.Contains("give cpu, cuda, cuda:N or debug", Assert.Throws<CaldException>(() => Device.Parse("cuda:x")).Message);
    }

    public void Dispose() => _accelerator.Dispose();

    private static void Draw(View<ulong> streams, DeviceRandomKey key, int index) => streams[index] = key.Stream;
}
