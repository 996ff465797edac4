using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda.Tests.Elementwise;

public class RandomTests
{
    public static TheoryData<string> Devices => TestAccelerators.Names;

    [Theory]
    [MemberData(nameof(Devices))]
    public void Dropout_has_the_CPUs_mask(string device)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        foreach (DType type in Errors.Formats)
        {
            RandomChecks.Dropout(accelerator, type);
        }
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void Uniform_numbers_are_the_CPUs(string device)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        RandomChecks.Uniform(accelerator);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void Normal_numbers_are_the_CPUs(string device)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        RandomChecks.Normal(accelerator);
    }

    [Fact]
    public void Words_are_those_of_Philox()
    {
        foreach (ulong index in new ulong[] { 0, 1, 15, 16, 33, 63, 64, 1000, (1UL << 36) + 77 })
        {
            Assert.Equal(Philox.Word(0x1234567890UL, 1UL << 50, index), DevicePhilox.Word(0x1234567890UL, 1UL << 50, index));
        }
    }
}
