using System.Numerics;
using System.Runtime.InteropServices;

namespace LinearCald.Data.Audio;

/// <summary>Operations on sampled sound.</summary>
public static class Waveform
{
    /// <summary>Added to the variance by <see cref="Normalise"/>, as in HuggingFace's Wav2Vec2FeatureExtractor.</summary>
    public const double VarianceFloor = 1e-7;

    /// <summary>The largest magnitude that is taken for a sample: far beyond 32-bit integers kept as floating point, far below overflow.</summary>
    internal const float LargestSample = 1e12f;

    /// <summary>(x − mean)/√(variance + 1e-7), in place: the input normalisation of Wav2Vec2. Population variance; sums in float64.</summary>
    /// <param name="samples">[S]; empty stays empty.</param>
    public static void Normalise(Span<float> samples)
    {
        if (samples.Length == 0)
        {
            return;
        }

        double sum = 0;
        foreach (float x in samples)
        {
            sum += x;
        }

        double mean = sum / samples.Length, squares = 0;
        foreach (float x in samples)
        {
            double centred = x - mean;
            squares += centred * centred;
        }

        double factor = 1 / Math.Sqrt((squares / samples.Length) + VarianceFloor);
        for (int i = 0; i < samples.Length; i++)
        {
            samples[i] = (float)((samples[i] - mean) * factor);
        }
    }

    /// <summary>Index of the first sample that is NaN, infinite or beyond <see cref="LargestSample"/>; −1 when all are sound.</summary>
    internal static int FirstUnsound(ReadOnlySpan<float> samples)
    {
        ReadOnlySpan<Vector<float>> blocks = MemoryMarshal.Cast<float, Vector<float>>(samples);
        Vector<float> limit = new(LargestSample);
        int i = 0;
        foreach (Vector<float> block in blocks)
        {
            if (!Vector.LessThanOrEqualAll(Vector.Abs(block), limit))
            {
                break;
            }

            i += Vector<float>.Count;
        }

        for (; i < samples.Length; i++)
        {
            if (!(MathF.Abs(samples[i]) <= LargestSample)) // false for NaN too
            {
                return i;
            }
        }

        return -1;
    }
}
