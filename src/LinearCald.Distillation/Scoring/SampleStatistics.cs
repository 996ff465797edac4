namespace LinearCald.Distillation.Scoring;

/// <summary>Means over examples and how sure they are.</summary>
public static class SampleStatistics
{
    /// <summary>Standard error of the mean: the sample's standard deviation (divisor n − 1) over √n; NaN below two values.</summary>
    public static double StandardError(IReadOnlyList<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        double mean = values.Average();
        double squares = values.Sum(v => (v - mean) * (v - mean));
        return values.Count < 2 ? double.NaN : Math.Sqrt(squares / (values.Count - 1) / values.Count);
    }

    /// <summary>exp(−mean) of log-likelihoods.</summary>
    public static double Perplexity(IReadOnlyList<double> logLikelihoods) => Math.Exp(-logLikelihoods.Average());

    /// <summary>
    /// Standard error of <see cref="Perplexity"/>: the perplexity times the standard error of the mean (delta method). The harness draws bootstrap samples instead, which
    /// comes to the same for many examples.
    /// </summary>
    public static double PerplexityError(IReadOnlyList<double> logLikelihoods) => Perplexity(logLikelihoods) * StandardError(logLikelihoods);
}
