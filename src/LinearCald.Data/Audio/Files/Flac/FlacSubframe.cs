using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LinearCald.Data.Audio.Files.Flac;

/// <summary>
/// Decodes one channel of a frame, RFC 9639 section 9.2: a constant, plain samples, or a linear prediction (with fixed or with sent coefficients) and its
/// residual in Rice codes. <typeparamref name="T"/> is int, or long for the difference of two 32-bit channels.
/// </summary>
internal sealed class FlacSubframe<T>
    where T : unmanaged, IBinaryInteger<T>
{
    private const int LargestOrder = 32;

    private readonly FlacBitReader _bits;
    private readonly int[] _coefficients = new int[LargestOrder]; // oldest sample first
    private int[] _residual = [];

    public FlacSubframe(FlacBitReader bits) => _bits = bits;

    /// <summary>Decodes into <paramref name="samples"/>, whose length is the block's.</summary>
    /// <param name="samples">Written completely.</param>
    /// <param name="width">Bits of a sample.</param>
    public void Decode(Span<T> samples, int width)
    {
        uint head = _bits.ReadBits(8), kind = head >> 1;
        if (head > 127)
        {
            throw _bits.Error("a FLAC subframe does not begin with a zero; the file is damaged");
        }

        int wasted = (head & 1) != 0 ? (int)_bits.ReadUnary(64) + 1 : 0;
        if (wasted >= width)
        {
            throw _bits.Error($"{wasted} wasted bits of {width}; the file is damaged");
        }

        width -= wasted;
        switch (kind)
        {
            case 0:
                samples.Fill(T.CreateTruncating(_bits.ReadSigned(width)));
                break;
            case 1:
                Plain(samples, width);
                break;
            case >= 8 and <= 12:
                Fixed(samples, (int)kind - 8, width);
                break;
            case >= 32:
                Linear(samples, (int)kind - 31, width);
                break;
            default:
                throw _bits.Error($"a FLAC subframe of the reserved kind {kind}; the file is damaged");
        }

        if (wasted > 0)
        {
            foreach (ref T sample in samples)
            {
                sample <<= wasted;
            }
        }
    }

    private void Plain(Span<T> samples, int width)
    {
        foreach (ref T sample in samples)
        {
            sample = T.CreateTruncating(_bits.ReadSigned(width));
        }
    }

    /// <summary>Prediction by the polynomial through the last <paramref name="order"/> samples.</summary>
    private void Fixed(Span<T> samples, int order, int width)
    {
        ReadOnlySpan<int> residual = Start(samples, order, width);
        switch (order) // wraps as two's complement does: a damaged file is found by its checksum
        {
            case 0:
                for (int i = 0; i < samples.Length; i++)
                {
                    samples[i] = T.CreateTruncating(residual[i]);
                }

                break;
            case 1:
                for (int i = 1; i < samples.Length; i++)
                {
                    samples[i] = T.CreateTruncating(residual[i]) + samples[i - 1];
                }

                break;
            case 2:
                for (int i = 2; i < samples.Length; i++)
                {
                    T last = samples[i - 1];
                    samples[i] = T.CreateTruncating(residual[i]) + last + last - samples[i - 2];
                }

                break;
            case 3:
                for (int i = 3; i < samples.Length; i++)
                {
                    T difference = samples[i - 1] - samples[i - 2];
                    samples[i] = T.CreateTruncating(residual[i]) + difference + difference + difference + samples[i - 3];
                }

                break;
            default:
                for (int i = 4; i < samples.Length; i++)
                {
                    T twice = samples[i - 1] + samples[i - 3] - samples[i - 2];
                    twice += twice;
                    samples[i] = T.CreateTruncating(residual[i]) + twice + twice - samples[i - 2] - samples[i - 2] - samples[i - 4];
                }

                break;
        }
    }

    /// <summary>Prediction by sent coefficients, in fixed point.</summary>
    private void Linear(Span<T> samples, int order, int width)
    {
        CheckOrder(samples.Length, order);
        WarmUp(samples, order, width);
        int precision = (int)_bits.ReadBits(4) + 1, shift = (int)_bits.ReadSigned(5);
        if (precision == 16 || shift < 0)
        {
            throw _bits.Error($"FLAC prediction coefficients of {precision} bits and a shift of {shift} are not defined; the file is damaged");
        }

        Span<int> coefficients = _coefficients.AsSpan(0, order);
        for (int j = order - 1; j >= 0; j--)
        {
            coefficients[j] = (int)_bits.ReadSigned(precision);
        }

        ReadOnlySpan<int> residual = ReadResidual(samples.Length, order);
        if (typeof(T) == typeof(int) && width + precision + BitOperations.Log2((uint)order) + 1 <= 32)
        {
            Predict(MemoryMarshal.Cast<T, int>(samples), residual, coefficients, shift);
        }
        else
        {
            PredictWide(samples, residual, coefficients, shift);
        }
    }

    /// <summary>With sums that fit into 32 bits. Four products a step; the newest sample, which was just computed, enters last.</summary>
    private static void Predict(Span<int> samples, ReadOnlySpan<int> residual, ReadOnlySpan<int> coefficients, int shift)
    {
        int order = coefficients.Length;
        ref int c = ref MemoryMarshal.GetReference(coefficients);
        ref int past = ref MemoryMarshal.GetReference(samples); // the sample `order` before the one in turn
        for (int i = order; i < samples.Length; i++)
        {
            int sum = 0;
            nint j = 0;
            for (; j <= order - 4; j += 4)
            {
                sum += (Unsafe.Add(ref c, j) * Unsafe.Add(ref past, j)) + (Unsafe.Add(ref c, j + 1) * Unsafe.Add(ref past, j + 1))
                    + (Unsafe.Add(ref c, j + 2) * Unsafe.Add(ref past, j + 2)) + (Unsafe.Add(ref c, j + 3) * Unsafe.Add(ref past, j + 3));
            }

            for (; j < order; j++)
            {
                sum += Unsafe.Add(ref c, j) * Unsafe.Add(ref past, j);
            }

            samples[i] = residual[i] + (sum >> shift);
            past = ref Unsafe.Add(ref past, 1);
        }
    }

    private static void PredictWide(Span<T> samples, ReadOnlySpan<int> residual, ReadOnlySpan<int> coefficients, int shift)
    {
        int order = coefficients.Length;
        for (int i = order; i < samples.Length; i++)
        {
            ReadOnlySpan<T> past = samples.Slice(i - order, order);
            long sum = 0;
            for (int j = 0; j < past.Length; j++)
            {
                sum += coefficients[j] * long.CreateTruncating(past[j]);
            }

            samples[i] = T.CreateTruncating(residual[i] + (sum >> shift));
        }
    }

    private ReadOnlySpan<int> Start(Span<T> samples, int order, int width)
    {
        CheckOrder(samples.Length, order);
        WarmUp(samples, order, width);
        return ReadResidual(samples.Length, order);
    }

    private void WarmUp(Span<T> samples, int order, int width) => Plain(samples[..order], width);

    private void CheckOrder(int length, int order)
    {
        if (order > length)
        {
            throw _bits.Error($"a FLAC prediction of order {order} in a block of {length} samples; the file is damaged");
        }
    }

    /// <summary>Residuals of the samples from <paramref name="order"/> on, at their own indices; valid until the next call.</summary>
    private ReadOnlySpan<int> ReadResidual(int length, int order)
    {
        if (_residual.Length < length)
        {
            _residual = new int[length];
        }

        uint method = _bits.ReadBits(2);
        int partitions = 1 << (int)_bits.ReadBits(4), part = length / partitions;
        if (method > 1 || part * partitions != length || part < order)
        {
            throw _bits.Error($"a FLAC residual of method {method} in {partitions} parts, for a block of {length} samples and order {order}, is not defined; the file is damaged");
        }

        int parameterBits = method == 0 ? 4 : 5, escape = (1 << parameterBits) - 1, start = order;
        for (int partition = 1; partition <= partitions; partition++)
        {
            Span<int> values = _residual.AsSpan(start, (partition * part) - start);
            int parameter = (int)_bits.ReadBits(parameterBits);
            if (parameter < escape)
            {
                _bits.ReadRice(values, parameter);
            }
            else
            {
                int width = (int)_bits.ReadBits(5);
                foreach (ref int value in values)
                {
                    value = (int)_bits.ReadSigned(width);
                }
            }

            start = partition * part;
        }

        return _residual.AsSpan(0, length);
    }
}
