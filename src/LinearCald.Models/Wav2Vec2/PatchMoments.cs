namespace LinearCald.Models.Wav2Vec2;

/// <summary>
/// Mean m [K] and covariance R [K, K], over time, of what a convolution with one input channel reads: x[t · stride], …, x[t · stride + K − 1]. A channel w · x + b then has
/// mean w · m + b and variance wᵀ R w, whatever its weights: the statistics of all channels cost one pass over the wave.
/// </summary>
internal sealed class PatchMoments
{
    private readonly double[] _mean;
    private readonly double[] _covariance;

    private PatchMoments(double[] mean, double[] covariance)
    {
        _mean = mean;
        _covariance = covariance;
    }

    /// <param name="x">The wave, of at least <paramref name="kernel"/> samples.</param>
    /// <param name="kernel">Taps K.</param>
    /// <param name="stride">Samples from one patch to the next.</param>
    public static PatchMoments Of(ReadOnlySpan<float> x, int kernel, int stride)
    {
        int count = ((x.Length - kernel) / stride) + 1;
        double[] mean = new double[kernel];
        double[] covariance = new double[kernel * kernel];
        double[] patch = new double[kernel];
        double shift = x[0]; // keeps a wave far from 0 from losing its variance in the squares
        for (int t = 0; t < count; t++)
        {
            ReadOnlySpan<float> read = x.Slice(t * stride, kernel);
            for (int i = 0; i < kernel; i++)
            {
                patch[i] = read[i] - shift;
                mean[i] += patch[i];
            }

            for (int i = 0; i < kernel; i++)
            {
                double value = patch[i];
                Span<double> row = covariance.AsSpan(i * kernel, i + 1);
                for (int j = 0; j < row.Length; j++)
                {
                    row[j] += value * patch[j];
                }
            }
        }

        for (int i = 0; i < kernel; i++)
        {
            mean[i] /= count;
        }

        for (int i = 0; i < kernel; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                covariance[(i * kernel) + j] = covariance[(j * kernel) + i] = (covariance[(i * kernel) + j] / count) - (mean[i] * mean[j]);
            }
        }

        for (int i = 0; i < kernel; i++)
        {
            mean[i] += shift;
        }

        return new PatchMoments(mean, covariance);
    }

    /// <summary>Mean and variance of w · x.</summary>
    public (double Mean, double Variance) Of(ReadOnlySpan<double> w)
    {
        double mean = 0;
        double variance = 0;
        for (int i = 0; i < w.Length; i++)
        {
            mean += w[i] * _mean[i];
            for (int j = 0; j < w.Length; j++)
            {
                variance += w[i] * w[j] * _covariance[(i * w.Length) + j];
            }
        }

        return (mean, Math.Max(0, variance));
    }
}
