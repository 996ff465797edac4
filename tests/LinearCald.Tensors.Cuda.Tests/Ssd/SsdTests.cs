using FsCheck;
using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Cuda.Tests.Elementwise;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Tests.Ssd;

/// <summary>The scan of Mamba-2 and all its gradients against the CPU in float64.</summary>
public sealed class SsdTests
{
    public static TheoryData<DType, bool> Types => new() { { DType.Float32, false }, { DType.Float32, true }, { DType.BFloat16, false }, { DType.Float16, false } };

    [Theory]
    [InlineData(DType.Float32, 3)]
    [InlineData(DType.BFloat16, 5)]
    public void RowsInSegments(DType type, int cases)
    {
        using Accelerator accelerator = TestAccelerators.Open("emulator");
        SsdChecks.Segments(accelerator, type, cases, 330);
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.BFloat16)]
    public void RowsOfWholeVectors(DType type)
    {
        // 8 heads: every row begins at 16 bytes
        using Accelerator accelerator = TestAccelerators.Open("emulator");
        SsdCase.Of(2, 70, 8, 8, 8, 0, 0b1101110, 7).Compare(new GpuDevice(accelerator) { PoisonMemory = true, ScanSegments = 2 }, type, Budget(type, false));
    }

    [Fact]
    public void SegmentsByTheSizes()
    {
        // the emulator has four multiprocessors
        using Accelerator accelerator = TestAccelerators.Open("emulator");
        SsdCase c = SsdCase.Of(1, 64 * 12, 1, 8, 8, 0, 0b1111, 5);
        Assert.Equal(2, SsdPlan.Forward(c.Shape, true, accelerator.Limits.Multiprocessors, 0).Segments);
        c.Compare(new GpuDevice(accelerator) { PoisonMemory = true }, DType.BFloat16, Budget(DType.BFloat16, false));
        SsdCase.Of(1, 150, 1, 8, 8, 0, 0b1111111, 6).Repeat(new GpuDevice(accelerator) { ScanSegments = 3 }, DType.Float32);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void RandomShapes(DType type, bool tf32)
    {
        using Accelerator accelerator = TestAccelerators.Open("emulator");
        GpuDevice device = new(accelerator) { PoisonMemory = true, TensorFloat32 = tf32 };
        Gen<SsdCase> cases =
            from batch in Gen.Choose(1, 2)
            from length in Gen.OneOf(Gen.Constant(1), Gen.Constant(64), Gen.Choose(2, 63), Gen.Choose(65, 150))
            from groups in Gen.Choose(1, 2)
            from heads in Gen.Choose(1, 2)
            from headSize in Gen.Elements(1, 5, 8, 16, 24)
            from stateSize in Gen.Elements(1, 3, 8, 16, 40)
            from gap in Gen.Elements(0, 8, 1)
            from flags in Gen.Choose(0, 127)
            from seed in Gen.Choose(0, 100_000)
            select SsdCase.Of(batch, length, groups * heads, headSize, stateSize, gap, flags, seed, groups);
        Prop.ForAll(cases.ToArbitrary(), c => c.Compare(device, type, Budget(type, tf32))).Holds(type == DType.Float32 && !tf32 ? 3 : 6);
    }

    [Theory]
    [InlineData(DType.BFloat16, 64, 128)]
    [InlineData(DType.BFloat16, 80, 64)]
    [InlineData(DType.Float32, 64, 128)]
    [InlineData(DType.Float16, 32, 100)]
    public void LargeHeadsAndStates(DType type, int headSize, int stateSize)
    {
        using Accelerator accelerator = TestAccelerators.Open("emulator");
        GpuDevice device = new(accelerator) { PoisonMemory = true };
        SsdShape shape = new(1, 70, 2, 1, headSize, stateSize, 64, false, true, 0, double.PositiveInfinity);
        new SsdCase(shape, 0, true, true, true, false, true, headSize).Compare(device, type, Budget(type, false));
    }

    [Fact]
    public void RowsOfTheBatchTakeTurnsWhereMemoryIsShort()
    {
        using Accelerator accelerator = TestAccelerators.Open("emulator");
        GpuDevice device = new(accelerator) { PoisonMemory = true, WorkspaceElements = 2 * 70 * ((2 * 3 * 10) + 3) };
        SsdShape shape = new(5, 70, 3, 1, 8, 10, 64, false, true, 0, double.PositiveInfinity);
        new SsdCase(shape, 8, true, true, true, true, true, 11).Compare(device, DType.BFloat16, Budget(DType.BFloat16, false));
    }

    [Fact]
    public void RowsOfTheBatchTakeTurnsInSegments()
    {
        using Accelerator accelerator = TestAccelerators.Open("emulator");
        GpuDevice device = new(accelerator) { PoisonMemory = true, WorkspaceElements = 140 * ((2 * 2 * 10) + 2) * 2, ScanSegments = 2 };
        SsdCase.Of(2, 140, 2, 80, 10, 8, 0b0111111, 12).Compare(device, DType.BFloat16, Budget(DType.BFloat16, false));
    }

    [Theory]
    [InlineData(8, 2048, 16, 64, 1, 32, 2)]
    [InlineData(16, 500, 16, 64, 1, 64, 1)]
    [InlineData(2, 16384, 16, 64, 8, 64, 8)]
    [InlineData(1, 64, 1, 64, 1, 32, 1)]
    [InlineData(1, 16384, 24, 64, 11, 64, 11)]
    [InlineData(1, 1_000_000, 1, 16, 264, 16, 264)]
    public void SegmentsOnAnH100(int batch, int length, int heads, int headSize, int forward, int columns, int backward)
    {
        SsdShape shape = new(batch, length, heads, 1, headSize, 128, 64, false, true, 0, double.PositiveInfinity);
        SsdPlan plan = SsdPlan.Forward(shape, true, 132, 0);
        Assert.Equal((forward, columns), (plan.Segments, plan.Columns));
        Assert.Equal(backward, SsdPlan.Backward(shape, batch, true, 132, 0).Segments);
    }

    [Theory]
    [InlineData(70, 1)]
    [InlineData(130, 2)]
    public void ThreadsDoNotRace(int length, int segments)
    {
        using Accelerator accelerator = TestAccelerators.Open("debug");
        GpuDevice device = new(accelerator) { ScanSegments = segments };
        SsdShape shape = new(1, length, 1, 1, 5, 6, 64, true, true, 0, double.PositiveInfinity);
        new SsdCase(shape, 1, true, true, true, true, true, 3).Compare(device, DType.BFloat16, Budget(DType.BFloat16, false));
    }

    [Fact]
    public void LargerStatesAreRefused()
    {
        using Accelerator accelerator = TestAccelerators.Open("emulator");
        SsdShape shape = new(1, 2, 1, 1, 8, 136, 64, false, true, 0, double.PositiveInfinity);
        CaldException error = Assert.Throws<CaldException>(() => new SsdCase(shape, 0, true, true, false, false, false, 1).Compare(new GpuDevice(accelerator), DType.Float32, 1));
        Assert.Contains("136", error.Message, StringComparison.Ordinal);
    }

    private static double Budget(DType type, bool tf32) => tf32 ? 1e-3 : SsdChecks.Budget(type);
}
