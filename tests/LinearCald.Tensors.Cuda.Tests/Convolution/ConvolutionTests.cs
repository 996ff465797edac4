using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Tests.Elementwise;

namespace LinearCald.Tensors.Cuda.Tests.Convolution;

/// <summary>What encoders of speech have besides attention and scans, on every device.</summary>
public sealed class ConvolutionTests
{
    public static TheoryData<string> Devices => TestAccelerators.Names;

    [Theory]
    [MemberData(nameof(Devices))]
    public void Convolutions(string device) => Run(device, (d, slow) => ConvolutionChecks.Convolutions(d, slow ? 1 : 30, slow ? 3 : 40));

    [Theory]
    [MemberData(nameof(Devices))]
    public void Convolutions_of_two_terms(string device) => Run(device, (d, slow) => ConvolutionChecks.TwoTerms(d, slow ? 1 : 15, slow ? 3 : 40));

    [Theory]
    [MemberData(nameof(Devices))]
    public void Convolutions_of_waves(string device) => Run(device, (d, slow) => ConvolutionChecks.Waves(d, slow ? 1 : 15, slow ? 9 : 300));

    [Theory]
    [MemberData(nameof(Devices))]
    public void Convolutions_of_waves_with_one_tap(string device) => Run(device, (d, _) => ConvolutionChecks.WavesOfOneTap(d));

    [Theory]
    [MemberData(nameof(Devices))]
    public void Weight_norms(string device) => Run(device, (d, slow) => ConvolutionChecks.WeightNorms(d, slow ? 1 : 10));

    [Theory]
    [MemberData(nameof(Devices))]
    public void Group_norms(string device) => Run(device, (d, slow) => RowOperationChecks.GroupNorms(d, slow ? 1 : 10, slow ? 65 : 200));

    [Theory]
    [MemberData(nameof(Devices))]
    public void Masks(string device) => Run(device, (d, slow) => RowOperationChecks.Masks(d, slow ? 1 : 10, slow ? 7 : 60));

    private static void Run(string device, Action<GpuDevice, bool> check)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        check(new GpuDevice(accelerator) { PoisonMemory = true }, TestAccelerators.IsSlow(device));
    }
}
