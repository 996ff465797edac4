using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Tests.Elementwise;

public class OptimiserTests
{
    public static TheoryData<string> Devices => TestAccelerators.Names;

    [Theory]
    [MemberData(nameof(Devices))]
    public void One_tensor_is_updated_as_the_reference_does(string device)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        OptimiserChecks.Single(accelerator);
        OptimiserChecks.Lengths(accelerator);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void Sums_of_squares_are_exact_to_float64(string device)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        foreach (DType type in Errors.Formats)
        {
            OptimiserChecks.SumOfSquares(accelerator, type);
        }
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void Many_tensors_are_clipped_and_updated_in_one_recorded_step(string device)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        OptimiserChecks.Many(accelerator, 1.0);
        OptimiserChecks.Many(accelerator, double.PositiveInfinity);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void A_gradient_that_is_not_finite_leaves_everything_as_it_was(string device)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        OptimiserChecks.NotFinite(accelerator, float.NaN);
        OptimiserChecks.NotFinite(accelerator, float.NegativeInfinity);
    }
}
