using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Tests.Elementwise;

public class EmbeddingTests
{
    public static TheoryData<string> Devices => TestAccelerators.Names;

    [Theory]
    [MemberData(nameof(Devices))]
    public void Rows_are_gathered(string device)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        foreach (DType type in Errors.Formats)
        {
            EmbeddingChecks.Forward(accelerator, type, 50, 24, 77, 0);
            EmbeddingChecks.Forward(accelerator, type, 50, 6, 77, 0);
            EmbeddingChecks.Forward(accelerator, type, 3, 7, 10, 1);
            EmbeddingChecks.Forward(accelerator, type, 3, 8, 0, 0);
        }

        EmbeddingChecks.Outside(accelerator);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void Ids_are_sorted_and_stay_in_order(string device)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        EmbeddingChecks.Order(accelerator, 3, 1);
        EmbeddingChecks.Order(accelerator, 70000, device == "debug shuffled" ? 400 : 2500);
        if (!TestAccelerators.IsSlow(device))
        {
            EmbeddingChecks.Order(accelerator, 200, 300);
            EmbeddingChecks.Order(accelerator, 256, 2047);
            EmbeddingChecks.Order(accelerator, 4, 4100);
        }
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void Gradients_of_rows_are_added_by_id(string device)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        foreach (DType type in Errors.Formats)
        {
            EmbeddingChecks.Gradient(accelerator, type, 20, 37, 150, 60, 10, accumulate: false, 1);
            EmbeddingChecks.Gradient(accelerator, type, 7, 264, 67, 100, 0, accumulate: true, 0);
            EmbeddingChecks.Gradient(accelerator, type, 7, 5, 0, 0, 0, accumulate: false, 0);
        }

        if (TestAccelerators.IsSlow(device))
        {
            return;
        }

        foreach (DType type in Errors.Formats)
        {
            EmbeddingChecks.Gradient(accelerator, type, 300, 24, 200, 0, -1, accumulate: false, 0);
            EmbeddingChecks.Gradient(accelerator, type, 20, 40, 150, 60, 3, accumulate: true, 0);
        }

        EmbeddingChecks.Gradient(accelerator, DType.BFloat16, 5, 16, 700, 90, -1, accumulate: true, 0);

        // Runs that start, end and lie at multiples of the long kernel's step.
        foreach (int count in new[] { 31, 32, 33, 64, 65, 96, 97 })
        {
            EmbeddingChecks.Gradient(accelerator, DType.Float32, 2, 4, count, 100, -1, accumulate: false, 0);
        }
    }

    [Fact]
    public void The_order_of_threads_does_not_change_a_bit()
    {
        float[][] results = [.. new[] { "debug", "debug shuffled" }.Select(device =>
        {
            using Accelerator accelerator = TestAccelerators.Open(device);
            return EmbeddingChecks.Gradient(accelerator, DType.Float32, 30, 20, 400, 30, 2, accumulate: false, 0);
        })];
        Assert.Equal(results[0], results[1]);
    }
}
