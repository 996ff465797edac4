namespace LinearCald.Tensors.Cuda.Tests.Elementwise;

/// <summary>How far results may be off.</summary>
internal static class Errors
{
    public static readonly DType[] Formats = [DType.Float32, DType.BFloat16, DType.Float16];

    /// <summary>‖error‖ / ‖result‖ that rounding to a type explains, with a few roundings of float32 before it.</summary>
    public static double Budget(DType type) => type switch
    {
        DType.BFloat16 => 4e-3,
        DType.Float16 => 5e-4,
        _ => 6e-7,
    };

    /// <summary>‖actual − expected‖ / ‖expected‖ is at most <paramref name="budget"/>.</summary>
    public static void Close(double[] expected, double[] actual, double budget, string what) => Close(expected, actual, expected, budget, what);

    /// <summary>‖actual − expected‖ / ‖terms‖ is at most <paramref name="budget"/>: for sums that can cancel, of which one element can be all that there is.</summary>
    /// <param name="terms">For each element, the sum of the absolute values that were added to make it.</param>
    public static void Close(double[] expected, double[] actual, double[] terms, double budget, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double error = 0, norm = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            error += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            norm += terms[i] * terms[i];
        }

        Assert.True(Math.Sqrt(error) <= budget * Math.Sqrt(norm), $"{what}, {expected.Length} elements: error {Math.Sqrt(error):E2}, norm {Math.Sqrt(norm):E2}, budget {budget:E1}");
    }
}
