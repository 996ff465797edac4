using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Tests.Elementwise;

namespace LinearCald.Tensors.Cuda.Tests.Ctc;

/// <summary>The kernels of CTC as PTX in the emulator, and on the debug device, which finds races.</summary>
public sealed class CtcTests
{
    [Fact]
    public void RandomUtterances()
    {
        using Accelerator accelerator = TestAccelerators.Open("emulator");
        CtcChecks.Random(new GpuDevice(accelerator) { PoisonMemory = true }, 25, 30, 12);
    }

    [Fact]
    public void SeveralWarps()
    {
        using Accelerator accelerator = TestAccelerators.Open("emulator");
        CtcChecks.Compare(new GpuDevice(accelerator) { PoisonMemory = true }, DType.Float32, 2, 90, 6, 70, 2);
    }

    [Fact]
    public void OutOfRangeIsNaN()
    {
        using Accelerator accelerator = TestAccelerators.Open("emulator");
        CtcChecks.OutOfRange(new GpuDevice(accelerator) { PoisonMemory = true });
    }

    [Fact]
    public void ThreadsDoNotRace()
    {
        using Accelerator accelerator = TestAccelerators.Open("debug");
        CtcChecks.Compare(new GpuDevice(accelerator), DType.BFloat16, 2, 13, 5, 7, 3);
        CtcChecks.Compare(new GpuDevice(accelerator), DType.Float32, 1, 40, 3, 35, 4);
    }

    [Fact]
    public void MoreLabelsThanThreadsAreRefused()
    {
        using Accelerator accelerator = TestAccelerators.Open("emulator");
        Assert.Contains("room for 1024", Assert.Throws<CaldException>(() => CtcChecks.Compare(new GpuDevice(accelerator), DType.Float32, 1, 2, 3, 1024, 4)).Message, StringComparison.Ordinal);
    }
}
