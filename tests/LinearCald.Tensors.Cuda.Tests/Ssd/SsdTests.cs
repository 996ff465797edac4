using FsCheck;
using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Tests.Elementwise;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Tests.Ssd;

/// <summary>The scan of Mamba-2 and all its gradients against the CPU in float64.</summary>
public sealed class SsdTests
{
    public static TheoryData<DType, bool> Types => new() { { DType.Float32, false }, { DType.Float32, true }, { DType.BFloat16, false }, { DType.Float16, false } };

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
            select new SsdCase(
                new SsdShape(batch, length, groups * heads, groups, headSize, stateSize, 64, (flags & 1) != 0, (flags & 2) != 0, (flags & 2) != 0 ? 0.3 : 0, (flags & 2) != 0 ? 1.2 : double.PositiveInfinity),
                gap, (flags & 4) != 0, (flags & 8) != 0, (flags & 16) != 0, (flags & 32) != 0, (flags & 64) != 0, seed);
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
    public void ThreadsDoNotRace()
    {
        using Accelerator accelerator = TestAccelerators.Open("debug");
        GpuDevice device = new(accelerator);
        SsdShape shape = new(1, 70, 1, 1, 5, 6, 64, true, true, 0, double.PositiveInfinity);
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

    private static double Budget(DType type, bool tf32) => tf32 ? 1e-3 : type switch
    {
        DType.Float32 => 1e-5,
        DType.Float16 => 2e-3,
        _ => 1e-2,
    };
}
