using LinearCald.Data.Audio.Resampling;

namespace LinearCald.Data.Audio;

/// <summary>
/// Changes the rate of a signal by band-limited interpolation: a polyphase filter, a sinc under a Kaiser window, for any two rates. Up to 0.92 of the
/// lower Nyquist frequency a sine passes unchanged, beyond that frequency it is gone; <c>docs/audio.md</c> has the measurements.
/// </summary>
public static class Resampler
{
    private const int LargestRatio = 1024;

    /// <summary>Output sample n is the input's band-limited value at time n/to; the input counts as 0 before its start and after its end.</summary>
    /// <param name="x">[S].</param>
    /// <param name="from">Its rate, in Hz.</param>
    /// <param name="to">The wanted rate, in Hz.</param>
    /// <returns>[⌈S·to/from⌉]; a copy when the rates are equal.</returns>
    /// <exception cref="CaldException">A rate is not positive, their ratio too large, or the result is too long for an array.</exception>
    public static float[] Resample(ReadOnlySpan<float> x, int from, int to)
    {
        if (from < 1 || to < 1)
        {
            throw new CaldException($"resampling from {from} to {to} Hz: rates must be positive");
        }

        if (from / to >= LargestRatio)
        {
            throw new CaldException($"resampling from {from} to {to} Hz: the new rate must be more than a {LargestRatio}th of the old");
        }

        if (from == to)
        {
            return x.ToArray();
        }

        ResamplingFilter filter = ResamplingFilter.For(from, to);
        long length = filter.OutputLength(x.Length);
        if (length > Array.MaxLength)
        {
            throw new CaldException($"resampling {x.Length} samples from {from} to {to} Hz gives {length}, more than an array holds; do it in parts");
        }

        float[] y = new float[length];
        filter.Run(x, 0, 0, y);
        return y;
    }
}
