using FsCheck.Fluent;

namespace LinearCald.Gpu.Tests;

/// <summary>Correct kernels give the right result on the debug device in every order of lanes.</summary>
public sealed class DebugAcceleratorTests
{
    public static TheoryData<LaneOrder> Orders => [LaneOrder.Forward, LaneOrder.Reverse, LaneOrder.Shuffled];

    [Theory]
    [MemberData(nameof(Orders))]
    public void AddsVectors(LaneOrder order)
    {
        using DebugAccelerator device = new(new DebugOptions { Order = order });
        Kernel kernel = Kernel.Of(DebugKernels.Add);
        Prop.ForAll(Gen.Choose(1, 700).ToArbitrary(), n =>
        {
            float[] a = [.. Enumerable.Range(0, n).Select(i => i * 0.5f)];
            using DeviceBuffer<float> x = device.Allocate<float>(a);
            using DeviceBuffer<float> y = device.Allocate<float>(n);
            device.Launch(kernel, LaunchShape.For(n, 64), x.ReadOnly, x.ReadOnly, y.View, n);
            Assert.Equal(a.Select(v => v + v), y.ToArray());
        }).Holds();
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public void TreeSumOverBarriers(LaneOrder order)
    {
        using DebugAccelerator device = new(new DebugOptions { Order = order });
        int[] input = [.. Enumerable.Range(0, 3 * 512)];
        using DeviceBuffer<int> x = device.Allocate<int>(input);
        using DeviceBuffer<int> y = device.Allocate<int>(3);
        device.Launch(Kernel.Of(DebugKernels.TreeSum), new LaunchShape(3, 256), x.ReadOnly, y.View);
        Assert.Equal(input.Chunk(512).Select(c => c.Sum()), y.ToArray());
    }

    [Fact]
    public void AThousandLanesMeetAtBarriers()
    {
        using DebugAccelerator device = new();
        int[] input = [.. Enumerable.Range(0, 2048)];
        using DeviceBuffer<int> x = device.Allocate<int>(input);
        using DeviceBuffer<int> y = device.Allocate<int>(1);
        device.Launch(Kernel.Of(DebugKernels.TreeSum), new LaunchShape(1, 1024), x.ReadOnly, y.View);
        Assert.Equal(input.Sum(), y.ToArray()[0]);
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public void WarpOperations(LaneOrder order)
    {
        using DebugAccelerator device = new(new DebugOptions { Order = order });
        int[] v = [.. Enumerable.Range(0, 64).Select(i => ((i * 37) % 23) - 11)];
        using DeviceBuffer<int> x = device.Allocate<int>(v);
        using DeviceBuffer<int> y = device.Allocate<int>(64 * 8);
        device.Launch(Kernel.Of(DebugKernels.WarpOperations), new LaunchShape(1, 64), x.ReadOnly, y.View);
        int[] actual = y.ToArray();
        for (int t = 0; t < 64; t++)
        {
            int[] warp = v[(t / 32 * 32)..((t / 32 * 32) + 32)];
            int lane = t % 32;
            uint ballot = (uint)Enumerable.Range(0, 32).Sum(i => warp[i] > 0 ? 1L << i : 0);
            int[] expected =
            [
                warp[lane ^ 5], lane < 3 ? warp[lane] : warp[lane - 3], lane > 24 ? warp[lane] : warp[lane + 7], warp[8],
                (int)ballot, warp.Sum(), warp.Min(), warp.Sum() + 1,
            ];
            Assert.Equal(expected, actual[(t * 8)..((t * 8) + 8)]);
        }
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public void NamedBarriersOrderProducerAndConsumers(LaneOrder order)
    {
        using DebugAccelerator device = new(new DebugOptions { Order = order });
        using DeviceBuffer<int> y = device.Allocate<int>(96);
        device.Launch(Kernel.Of(DebugKernels.ProducerConsumer), new LaunchShape(1, 96), y.View, 3);
        Assert.Equal(Enumerable.Range(0, 96).Select(t => t < 32 ? 0 : 300 + (3 * ((t % 32) ^ 1))), y.ToArray());
    }

    [Fact]
    public void BarriersCount()
    {
        using DebugAccelerator device = new();
        using DeviceBuffer<int> x = device.Allocate<int>(Enumerable.Range(-10, 40).ToArray());
        using DeviceBuffer<int> y = device.Allocate<int>(40);
        device.Launch(Kernel.Of(DebugKernels.CountPositive), new LaunchShape(1, 40), x.ReadOnly, y.View);
        Assert.Equal(Enumerable.Repeat((29 * 4) + 1, 40), y.ToArray());
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public void AsynchronousCopiesArriveAtTheWait(LaneOrder order)
    {
        using DebugAccelerator device = new(new DebugOptions { Order = order });
        float[] input = [.. Enumerable.Range(0, 100 * 4).Select(i => (float)i)];
        using DeviceBuffer<float> x = device.Allocate<float>(input);
        using DeviceBuffer<float> y = device.Allocate<float>(128 * 4);
        device.Launch(Kernel.Of(DebugKernels.CopyThrough), new LaunchShape(1, 64), x.ReadOnly.As<Float4>(), y.View.As<Float4>(), 100);
        float[] padded = [.. input, .. new float[112]];
        IEnumerable<float> expected = padded.Chunk(4).Chunk(64).SelectMany(half => half.Reverse().SelectMany(v => v));
        Assert.Equal(expected, y.ToArray());
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public void AtomicUpdates(LaneOrder order)
    {
        using DebugAccelerator device = new(new DebugOptions { Order = order });
        int[] input = [.. Enumerable.Range(0, 192).Select(i => (i * 31) % 101)];
        using DeviceBuffer<int> x = device.Allocate<int>(input);
        using DeviceBuffer<int> counts = device.Allocate<int>(new int[8]);
        using DeviceBuffer<int> extremes = device.Allocate<int>([50, 50, 7]);
        device.Launch(Kernel.Of(DebugKernels.Histogram), new LaunchShape(2, 96), x.ReadOnly, counts.View, extremes.View);
        Assert.Equal(Enumerable.Range(0, 8).Select(k => input.Count(v => (v & 7) == k)), counts.ToArray());
        int[] seen = extremes.ToArray();
        Assert.Equal(input.Min(), seen[0]);
        Assert.Equal(input.Max(), seen[1]);
        Assert.NotEqual(7, seen[2]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void MatrixProductsOfHalves(bool half)
    {
        using DebugAccelerator device = new();
        float[] a = Numbers(256, 7);
        float[] b = Numbers(128, 5);
        using DeviceBuffer<ushort> x = device.Allocate<ushort>(Array.ConvertAll(a, Bits));
        using DeviceBuffer<ushort> y = device.Allocate<ushort>(Array.ConvertAll(b, Bits));
        using DeviceBuffer<float> d = device.Allocate<float>(128);
        device.Launch(Kernel.Of(DebugKernels.MatrixTile), new LaunchShape(1, 32), x.ReadOnly, y.ReadOnly, d.View, half ? 1 : 0);
        Assert.Equal(Product(a, b, 16), d.ToArray());

        ushort Bits(float v) => half ? BitConverter.HalfToUInt16Bits((Half)v) : ((BFloat16)v).Bits;
    }

    [Fact]
    public void MatrixProductsOfFloats()
    {
        using DebugAccelerator device = new();
        float[] a = Numbers(128, 7);
        float[] b = Numbers(64, 5);
        using DeviceBuffer<float> x = device.Allocate<float>(a);
        using DeviceBuffer<float> y = device.Allocate<float>(b);
        using DeviceBuffer<float> d = device.Allocate<float>(128);
        device.Launch(Kernel.Of(DebugKernels.MatrixTile32), new LaunchShape(1, 32), x.ReadOnly, y.ReadOnly, d.View);
        Assert.Equal(Product(a, b, 8), d.ToArray());
    }

    // Small integers over a power of two: exact in every format.
    private static float[] Numbers(int n, int step) => [.. Enumerable.Range(0, n).Select(i => (((i * step) % 33) - 16) / 8f)];

    private static float[] Product(float[] a, float[] b, int k)
    {
        float[] d = new float[16 * 8];
        for (int m = 0; m < 16; m++)
        {
            for (int n = 0; n < 8; n++)
            {
                d[(m * 8) + n] = Enumerable.Range(0, k).Sum(i => a[(m * k) + i] * b[(i * 8) + n]);
            }
        }

        return d;
    }
}
