using System.Runtime.InteropServices;
using LinearCald.Gpu.Driver;
using LinearCald.Gpu.Tests.Compiler;
using LinearCald.Gpu.Tests.Driver;
using LinearCald.Testing.Ptx;

namespace LinearCald.Gpu.Tests.Language;

/// <summary>Barrier objects, tensor copies and warpgroup products: on the debug device, in the emulator, on a GPU; and what is refused.</summary>
public sealed class HopperTests
{
    private const int Rows = 61;
    private const int Columns = 136;

    public static TheoryData<TensorSwizzle, int, int> Boxes => new()
    {
        { TensorSwizzle.Bytes128, 0, 0 },
        { TensorSwizzle.Bytes128, -8, -3 },
        { TensorSwizzle.Bytes64, 8, 11 },
        { TensorSwizzle.Bytes32, 104, 50 },
        { TensorSwizzle.None, -16, 60 },
        { TensorSwizzle.Bytes128, 136, -24 },
    };

    [Theory]
    [MemberData(nameof(Boxes))]
    public void BoxesOnTheDebugDevice(TensorSwizzle swizzle, int x, int row)
    {
        foreach (LaneOrder order in Enum.GetValues<LaneOrder>())
        {
            using DebugAccelerator device = new(new DebugOptions { Order = order });
            CopyBoxes(device, swizzle, x, row);
        }
    }

    [Theory]
    [MemberData(nameof(Boxes))]
    public void BoxesInTheEmulator(TensorSwizzle swizzle, int x, int row)
    {
        foreach (Schedule schedule in Enum.GetValues<Schedule>())
        {
            using EmulatorAccelerator device = new(new EmulatorOptions { Schedule = schedule, Seed = 3 });
            CopyBoxes(device, swizzle, x, row);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void ProductsOnAllDevices(int twice)
    {
        using DebugAccelerator debug = new(new DebugOptions { Order = LaneOrder.Shuffled });
        using EmulatorAccelerator emulator = new(new EmulatorOptions { Schedule = Schedule.Shuffled, Seed = 8 });
        Multiply(debug, twice);
        Multiply(emulator, twice);
    }

    [Fact]
    public void LeftOperandsInRegistersOnAllDevices()
    {
        using DebugAccelerator debug = new(new DebugOptions { Order = LaneOrder.Shuffled });
        using EmulatorAccelerator emulator = new(new EmulatorOptions { Schedule = Schedule.Shuffled, Seed = 8 });
        Chain(debug);
        Chain(emulator);
    }

    [Fact]
    public void BoxesOfFourDimensionsOnAllDevices()
    {
        using DebugAccelerator debug = new();
        using EmulatorAccelerator emulator = new();
        CopyBlocks(debug);
        CopyBlocks(emulator);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(-1)]
    [InlineData(100)]
    public void BoxesThatStartBetweenTheStepsOfTheCopyEngineAreRefused(int x)
    {
        using DebugAccelerator debug = new();
        string refused = Assert.Throws<CaldException>(() => CopyBoxes(debug, TensorSwizzle.Bytes64, x, 0)).Message;
        Assert.Contains($"starts at element {x} of its rows, {2 * x} bytes", refused, StringComparison.Ordinal);
        Assert.Contains("multiples of 16 bytes, here of 8 elements", refused, StringComparison.Ordinal);
        Assert.Matches(@"HopperKernels\.cs:\d+", refused);
        using EmulatorAccelerator emulator = new();
        Assert.Contains($"from element {x} of its rows", Assert.Throws<CaldException>(() => CopyBoxes(emulator, TensorSwizzle.Bytes64, x, 0)).Message, StringComparison.Ordinal);
    }

    [CudaFact]
    public void OnAGpu()
    {
        using CudaAccelerator device = new(0);
        if (device.Limits.Capability != 90)
        {
            return;
        }

        foreach (object[] box in Boxes)
        {
            CopyBoxes(device, (TensorSwizzle)box[0], (int)box[1], (int)box[2]);
        }

        foreach (int twice in new[] { 0, 1, 3 })
        {
            Multiply(device, twice);
        }

        Chain(device);
        CopyBlocks(device);
    }

    [Theory]
    [InlineData(nameof(HopperKernels.ReadBeforeWait), "used or copied while it may still run")]
    [InlineData(nameof(HopperKernels.LeftOverwritten), "used or copied while it may still run")]
    [InlineData(nameof(HopperKernels.LeftAfterFence), "left operand were used since the last Wgmma.Fence")]
    [InlineData(nameof(HopperKernels.WaitForTooFew), "used or copied while it may still run")]
    [InlineData(nameof(HopperKernels.NoFence), "since the last Wgmma.Fence")]
    [InlineData(nameof(HopperKernels.KeptCopy), "needed after it too")]
    public void MisusedSumsAreRefused(string name, string reason)
    {
        Kernel kernel = Kernel.Of(typeof(HopperKernels).GetMethod(name)!);
        CaldException e = Assert.ThrowsAny<CaldException>(() => TestKernels.Ptx(kernel, 128));
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
        Assert.Matches(@"HopperKernels\.cs:\d+", e.Message);
    }

    [Fact]
    public void WarpgroupsAreWhole() =>
        Assert.Contains("at least 128", Assert.ThrowsAny<CaldException>(() => TestKernels.Ptx(Kernel.Of(HopperKernels.ReadBeforeWait), 96)).Message, StringComparison.Ordinal);

    [Fact]
    public void MistakesOnTheDebugDevice()
    {
        Fails(HopperKernels.TooManyArrivals, "an arrival more than the 40");
        Fails(HopperKernels.NobodyArrives, "lanes 0–31 wait at Mbarrier.Wait (HopperKernels.cs:");
        Fails(HopperKernels.NotInitialised, "never written");
        using DebugAccelerator device = new();
        using DeviceBuffer<uint> x = device.Allocate<uint>(new uint[Rows * Columns / 2]);
        using DeviceBuffer<uint> y = device.Allocate<uint>(32);
        TensorMap map = Map(device, x, TensorSwizzle.Bytes128);
        CaldException e = Assert.Throws<CaldException>(() => device.Launch(Kernel.Of(HopperKernels.ReadsTooSoon), new LaunchShape(1, 32), map, y.View));
        Assert.Contains("asynchronous copy has not been waited for", e.Message, StringComparison.Ordinal);

        static void Fails(Action kernel, string expected)
        {
            using DebugAccelerator device = new();
            CaldException e = Assert.Throws<CaldException>(() => device.Launch(Kernel.Of(kernel), new LaunchShape(1, 32)));
            Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void MapsThatBreakARuleAreRefused()
    {
        using DebugAccelerator device = new();
        using DeviceBuffer<uint> x = device.Allocate<uint>(1024);
        Refused("both are multiples of 16", 8, [64, 8], [128], [64, 8]);
        Refused("both are multiples of 16", 0, [64, 8], [128], [63, 8]);
        Refused("no longer than the swizzle's 128 bytes", 0, [128, 8], [256], [128, 8]);
        Refused("boxes 1 to 256", 0, [64, 8], [128], [64, 257]);
        Refused("extents are 1 to", 0, [64, 0], [128], [64, 8]);
        Refused("multiples of 16 below", 0, [64, 8], [130], [64, 8]);
        Refused("all but the innermost a stride", 0, [64, 8], [], [64, 8]);
        Refused("do not lie within one block", 0, [64, 1000], [128], [64, 8]);

        void Refused(string reason, int offset, long[] extents, long[] strides, int[] box) => Assert.Contains(
            reason,
            Assert.Throws<CaldException>(() => TensorMap.Create(device, x.Address + offset, TensorElement.BFloat16, extents, strides, box, TensorSwizzle.Bytes128)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void TheDriverEncodesMaps()
    {
        FakeCudaDriver driver = new() { Capability = 90 };
        using (CudaAccelerator device = new(driver, 0, static (_, _, _, _) => throw new NotSupportedException(), null))
        {
            using DeviceBuffer<uint> x = device.Allocate<uint>(64 * 64);
            TensorMap map = Map(device, x, TensorSwizzle.Bytes64);
            Assert.Contains("EncodeTensorMap", driver.Calls);
            Assert.Equal(x.Address, TensorMapDescription.Of(map).Address);
            driver.Failing["EncodeTensorMap"] = CudaResult.InvalidValue;
            Assert.Contains("describing a tensor", Assert.Throws<CaldException>(() => Map(device, x, TensorSwizzle.Bytes128)).Message, StringComparison.Ordinal);
        }

        driver.Capability = 89;
        using CudaAccelerator old = new(driver, 0, static (_, _, _, _) => throw new NotSupportedException(), null);
        Assert.Contains("9.0 (Hopper)", Assert.Throws<CaldException>(() => TensorMap.Create(old, 256, TensorElement.Half, [8], [], [8], TensorSwizzle.None)).Message, StringComparison.Ordinal);
    }

    private static TensorMap Map(Accelerator device, DeviceBuffer<uint> x, TensorSwizzle swizzle)
    {
        int row = Row(swizzle);
        return TensorMap.Create(device, x.Address, TensorElement.BFloat16, [Columns, Rows], [Columns * 2], [row / 2, HopperKernels.BoxBytes / row], swizzle);
    }

    /// <summary>Bytes of a box's rows: the longest that the swizzle allows.</summary>
    private static int Row(TensorSwizzle swizzle) => swizzle switch
    {
        TensorSwizzle.Bytes64 => 64,
        TensorSwizzle.Bytes32 => 32,
        _ => 128,
    };

    private static void CopyBoxes(Accelerator device, TensorSwizzle swizzle, int x, int row)
    {
        const int Count = 5;
        ushort[] values = [.. Enumerable.Range(1, Rows * Columns).Select(static i => (ushort)i)];
        using DeviceBuffer<uint> matrix = device.Allocate<uint>(MemoryMarshal.Cast<ushort, uint>(values));
        using DeviceBuffer<uint> copied = device.Allocate<uint>(Count * HopperKernels.BoxBytes / 4);
        device.Launch(Kernel.Of(HopperKernels.Boxes), new LaunchShape(1, 96), Map(device, matrix, swizzle), copied.View, x, row, Count);
        ReadOnlySpan<ushort> actual = MemoryMarshal.Cast<uint, ushort>(copied.ToArray());
        int width = Row(swizzle) / 2;
        for (int i = 0; i < Count * HopperKernels.BoxBytes / 2; i++)
        {
            int box = i / (HopperKernels.BoxBytes / 2);
            int within = i % (HopperKernels.BoxBytes / 2);
            int r = row + (8 * box) + (within / width);
            int c = x + (40 * box) + (within % width);
            ushort expected = r is >= 0 and < Rows && c is >= 0 and < Columns ? values[(r * Columns) + c] : (ushort)0;

            // Bits of the byte address: 4, 5, 6 by 7, 8, 9; fewer of them for narrower swizzles.
            int mask = swizzle switch { TensorSwizzle.Bytes128 => 7, TensorSwizzle.Bytes64 => 3, TensorSwizzle.Bytes32 => 1, _ => 0 };
            int place = within ^ (((within >> 6) & mask) << 3);
            Assert.True(expected == actual[(box * (HopperKernels.BoxBytes / 2)) + place], $"{swizzle}, box {box} at ({x}, {row}), element {within}");
        }
    }

    /// <summary>(x xᵀ) y with the first product's sums as the second one's left operand; all numbers are exact in float16.</summary>
    private static void Chain(Accelerator device)
    {
        Random random = new(6);
        float[] x = [.. Enumerable.Range(0, 64 * 16).Select(_ => (float)random.Next(-2, 3))], y = [.. Enumerable.Range(0, 64 * 64).Select(_ => (float)random.Next(-4, 5))];
        using DeviceBuffer<float> left = device.Allocate<float>(x), right = device.Allocate<float>(y), product = device.Allocate<float>(64 * 64);
        device.Launch(Kernel.Of(HopperKernels.Chain), new LaunchShape(1, 128), left.ReadOnly, right.ReadOnly, product.View);
        float[] actual = product.ToArray();
        float[] square = new float[64 * 64];
        for (int i = 0; i < square.Length; i++)
        {
            for (int k = 0; k < 16; k++)
                square[i] += x[(i / 64 * 16) + k] * x[(i % 64 * 16) + k];
        }

        for (int i = 0; i < actual.Length; i++)
        {
            float sum = 0;
            for (int k = 0; k < 64; k++)
                sum += square[(i / 64 * 64) + k] * y[(k * 64) + (i % 64)];

            Assert.Equal(sum, actual[i]);
        }
    }

    /// <summary>Boxes of 8 × 1 × 3 × 1 elements of a tensor [2, 5, 3, 24], some of them partly outside.</summary>
    private static void CopyBlocks(Accelerator device)
    {
        ushort[] values = [.. Enumerable.Range(1, 2 * 5 * 3 * 24).Select(static i => (ushort)i)];
        using DeviceBuffer<uint> tensor = device.Allocate<uint>(MemoryMarshal.Cast<ushort, uint>(values));
        using DeviceBuffer<uint> copied = device.Allocate<uint>(HopperKernels.BlockWords);
        TensorMap map = TensorMap.Create(device, tensor.Address, TensorElement.UInt16, [24, 3, 5, 2], [48, 144, 720], [8, 1, 3, 1], TensorSwizzle.None);
        foreach ((int x, int y, int z, int w) in new[] { (0, 0, 0, 0), (16, 2, 1, 1), (8, 1, 3, 0), (-8, 1, -1, 1), (8, 3, 0, 1), (0, 2, -2, 0) })
        {
            device.Launch(Kernel.Of(HopperKernels.Block), new LaunchShape(1, 32), map, copied.View, x, y, z, w);
            ReadOnlySpan<ushort> actual = MemoryMarshal.Cast<uint, ushort>(copied.ToArray());
            for (int i = 0; i < actual.Length; i++)
            {
                int c = x + (i % 8), r = z + (i / 8);
                ushort expected = c is >= 0 and < 24 && y is >= 0 and < 3 && r is >= 0 and < 5 ? values[(((((w * 5) + r) * 3) + y) * 24) + c] : (ushort)0;
                Assert.True(expected == actual[i], $"box at ({x}, {y}, {z}, {w}), element {i}: {actual[i]}, not {expected}");
            }
        }
    }

    private static void Multiply(Accelerator device, int twice)
    {
        Random random = new(5);
        float[] x = [.. Enumerable.Range(0, 64 * 16).Select(_ => random.Next(-8, 9) / 4f)];
        using DeviceBuffer<float> input = device.Allocate<float>(x);
        using DeviceBuffer<float> product = device.Allocate<float>(64 * 64);
        device.Launch(Kernel.Of(HopperKernels.Square), new LaunchShape(1, 128), input.ReadOnly, product.View, twice);
        float[] actual = product.ToArray();
        for (int i = 0; i < actual.Length; i++)
        {
            float sum = 0;
            for (int k = 0; k < 16; k++)
                sum += x[(i / 64 * 16) + k] * x[(i % 64 * 16) + k];

            Assert.Equal(sum * Math.Max(1, twice), actual[i]);
        }
    }
}
