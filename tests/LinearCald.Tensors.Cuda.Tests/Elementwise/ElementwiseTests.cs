using LinearCald.Gpu;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Tests.Elementwise;

public class ElementwiseTests
{
    public static TheoryData<string> Devices => TestAccelerators.Names;

    [Theory]
    [MemberData(nameof(Devices))]
    public void Activations_agree_with_their_references(string device)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        foreach (Activation f in ElementwiseChecks.Activations)
        {
            foreach (DType type in Errors.Formats)
            {
                ElementwiseChecks.Unary(accelerator, f, type);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void Gradients_of_activations_agree_with_the_CPU(string device)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        foreach (Activation f in ElementwiseChecks.Activations)
        {
            foreach (DType type in Errors.Formats)
            {
                ElementwiseChecks.UnaryGradient(accelerator, f, type);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void Activations_of_extreme_values(string device)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        ElementwiseChecks.Extremes(accelerator);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void Arithmetic_is_exact_with_rows_and_single_elements_too(string device) => ForFormats(device, ElementwiseChecks.Binary);

    [Theory]
    [MemberData(nameof(Devices))]
    public void Adding_in_place_is_exact(string device) => ForFormats(device, ElementwiseChecks.AddInPlace);

    [Theory]
    [MemberData(nameof(Devices))]
    public void Affine_maps_round_once(string device) => ForFormats(device, ElementwiseChecks.Affine);

    [Fact]
    public void Types_without_a_kernel_are_named()
    {
        using Accelerator accelerator = TestAccelerators.Open("debug");
        CaldException error = Assert.Throws<CaldException>(() => Kernels.Elementwise.AddInPlace(accelerator, DType.Int32, 0, 0, 4));
        Assert.Contains("Int32", error.Message, StringComparison.Ordinal);
        Assert.Throws<CaldException>(() => Kernels.Elementwise.Binary(accelerator, BinaryKind.Add, DType.Float32, 0, 0, 3, 0, 4));
    }

    private static void ForFormats(string device, Action<Accelerator, DType> body)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        foreach (DType type in Errors.Formats)
        {
            body(accelerator, type);
        }
    }
}
