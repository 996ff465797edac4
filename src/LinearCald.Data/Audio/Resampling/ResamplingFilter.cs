using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace LinearCald.Data.Audio.Resampling;

/// <summary>
/// The band-limited interpolator between two rates, L/M = to/from in lowest terms: y[n] = Σ_j x[j] h(n·M/L − j), h(t) = c·sinc(c·t)·w(t), with the
/// Kaiser window w over ±<see cref="HalfTaps"/> input samples. The position n·M/L is exact (integers); each of its L fractional parts has a row of coefficients. Where that
/// table would be large (rates with no common factor), rows for a fine grid are kept and two of them blended; the error of blending is below
/// the window's. Immutable: any thread may use one.
/// </summary>
internal sealed class ResamplingFilter
{
    /// <summary>What is left of a sine beyond the lower of the two Nyquist frequencies, in dB.</summary>
    public const double StopBand = 100;

    /// <summary>Width of the transition, as a fraction of the lower Nyquist frequency, below which it ends: the pass band is the rest.</summary>
    public const double Transition = 0.08;

    private const int LargestTable = 1 << 18;
    private const int GridRows = 1024; // for an input sample; blending errs by (π/1024)²/8, −118 dB
    private const int CacheSize = 16;

    private static readonly ConcurrentDictionary<(int From, int To), ResamplingFilter> s_cache = new();

    private readonly float[] _rows; // [rows, 2·HalfTaps], row r holds h(f + HalfTaps − 1 − k) for the fraction f = r/L, or r/grid when blended
    private readonly int _grid; // 0: a row a phase

    private ResamplingFilter(int from, int to)
    {
        int divisor = (int)BigInteger.GreatestCommonDivisor(from, to);
        (Up, Down) = (to / divisor, from / divisor);
        double scale = Math.Min(1, (double)to / from); // the lower Nyquist frequency over the input's

        // Kaiser's design rules: taps from the width of the transition, β from the stop band.
        double taps = (StopBand - 7.95) / (2.285 * Math.PI * Transition * scale);
        HalfTaps = ((int)Math.Ceiling(taps / 2) + 15) / 16 * 16;
        bool blended = (long)Up * 2 * HalfTaps > LargestTable;
        _grid = blended ? Math.Max(64, (int)Math.Ceiling(GridRows * scale)) : 0;
        int rows = blended ? _grid + 1 : Up;
        _rows = new float[rows * 2 * HalfTaps];
        double cutoff = scale * (1 - (Transition / 2)), beta = 0.1102 * (StopBand - 8.7);
        for (int row = 0; row < rows; row++)
        {
            FillRow(_rows.AsSpan(row * 2 * HalfTaps, 2 * HalfTaps), (double)row / (blended ? _grid : Up), cutoff, beta);
        }
    }

    /// <summary>L of the ratio L/M.</summary>
    public int Up { get; }

    /// <summary>M of the ratio L/M.</summary>
    public int Down { get; }

    /// <summary>Input samples on each side of an output sample that it depends on.</summary>
    public int HalfTaps { get; }

    /// <summary>The filter for two rates, made at most once for the few pairs that are in use.</summary>
    public static ResamplingFilter For(int from, int to)
    {
        if (s_cache.Count >= CacheSize)
        {
            s_cache.Clear();
        }

        return s_cache.GetOrAdd((from, to), static pair => new ResamplingFilter(pair.From, pair.To));
    }

    /// <summary>Output samples for an input: those whose position lies before its end, ⌈inputs·L/M⌉.</summary>
    public long OutputLength(long inputs) => checked((long)(((Int128)inputs * Up + Down - 1) / Down));

    /// <summary>The input sample at or before an output sample.</summary>
    public long InputIndex(long output) => (long)((Int128)output * Down / Up);

    /// <summary>Computes consecutive output samples.</summary>
    /// <param name="window">Part of the input; samples outside count as 0.</param>
    /// <param name="windowStart">Index of its first sample in the input.</param>
    /// <param name="firstOutput">Index of the first output sample.</param>
    /// <param name="output">Filled.</param>
    public void Run(ReadOnlySpan<float> window, long windowStart, long firstOutput, Span<float> output)
    {
        Int128 position = (Int128)firstOutput * Down;
        long index = (long)(position / Up) - HalfTaps + 1 - windowStart; // of the first tap, in the window
        long phase = (long)(position % Up);
        (long wholeStep, long phaseStep) = Math.DivRem(Down, Up);
        for (int n = 0; n < output.Length; n++)
        {
            output[n] = _grid == 0 ? Dot(Row((int)phase), window, index) : Blend(phase, window, index);
            index += wholeStep;
            phase += phaseStep;
            if (phase >= Up)
            {
                phase -= Up;
                index++;
            }
        }
    }

    private float Blend(long phase, ReadOnlySpan<float> window, long index)
    {
        double at = (double)phase * _grid / Up;
        int row = (int)at;
        float share = (float)(at - row);
        float low = Dot(Row(row), window, index);
        return low + (share * (Dot(Row(row + 1), window, index) - low));
    }

    private ReadOnlySpan<float> Row(int row) => _rows.AsSpan(row * 2 * HalfTaps, 2 * HalfTaps);

    private static float Dot(ReadOnlySpan<float> row, ReadOnlySpan<float> window, long index)
    {
        if (index >= 0 && index <= window.Length - row.Length)
        {
            return Dot(ref MemoryMarshal.GetReference(row), ref Unsafe.Add(ref MemoryMarshal.GetReference(window), (nint)index), row.Length);
        }

        // At an edge the missing samples are zeros; the same sum in the same order, so that a clip cut into blocks gives the same bits.
        Span<float> padded = row.Length <= 1024 ? stackalloc float[row.Length] : new float[row.Length];
        padded.Clear();
        long first = Math.Max(0, index), end = Math.Min(window.Length, index + row.Length);
        if (end > first)
        {
            window[(int)first..(int)end].CopyTo(padded[(int)(first - index)..]);
        }

        return Dot(ref MemoryMarshal.GetReference(row), ref MemoryMarshal.GetReference(padded), row.Length);
    }

    /// <summary>Four fused sums of eight lanes on any machine, so that results do not depend on it. The count is a multiple of 32.</summary>
    private static float Dot(ref float a, ref float b, int count)
    {
        Vector256<float> s0 = Vector256<float>.Zero, s1 = s0, s2 = s0, s3 = s0;
        for (nuint i = 0; i < (nuint)count; i += 32)
        {
            s0 = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref a, i), Vector256.LoadUnsafe(ref b, i), s0);
            s1 = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref a, i + 8), Vector256.LoadUnsafe(ref b, i + 8), s1);
            s2 = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref a, i + 16), Vector256.LoadUnsafe(ref b, i + 16), s2);
            s3 = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref a, i + 24), Vector256.LoadUnsafe(ref b, i + 24), s3);
        }

        return Vector256.Sum(s0 + s1 + (s2 + s3));
    }

    /// <summary>Coefficients for one fractional position, scaled so that a constant passes unchanged.</summary>
    private void FillRow(Span<float> row, double fraction, double cutoff, double beta)
    {
        Span<double> exact = row.Length <= 1024 ? stackalloc double[row.Length] : new double[row.Length];
        double sum = 0;
        for (int k = 0; k < exact.Length; k++)
        {
            double t = fraction + HalfTaps - 1 - k;
            exact[k] = Sinc(cutoff * t) * Kaiser(t / HalfTaps, beta);
            sum += exact[k];
        }

        for (int k = 0; k < exact.Length; k++)
        {
            row[k] = (float)(exact[k] / sum);
        }
    }

    private static double Sinc(double x) => Math.Abs(x) < 1e-9 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);

    /// <summary>I₀(β√(1 − u²)), the window but for a factor; 0 outside |u| ≤ 1.</summary>
    private static double Kaiser(double u, double beta)
    {
        double inside = 1 - (u * u);
        if (inside < 0)
        {
            return 0;
        }

        double quarter = beta * beta * inside / 4, term = 1, sum = 1; // I₀(z) = Σ (z²/4)ᵏ/(k!)²
        for (int k = 1; term > sum * 1e-17; k++)
        {
            term *= quarter / ((double)k * k);
            sum += term;
        }

        return sum;
    }
}
