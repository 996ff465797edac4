using System.Numerics;

namespace LinearCald.Data.Tests.Audio;

/// <summary>How a test wants one channel of a frame coded.</summary>
/// <param name="Kind">0 constant (where the samples are), 1 plain, 2 fixed prediction, 3 linear prediction.</param>
/// <param name="Order">Of the prediction.</param>
/// <param name="Coefficients">Of the linear prediction, newest sample first.</param>
/// <param name="Precision">Bits of a coefficient.</param>
/// <param name="Shift">Of the linear prediction's sum.</param>
/// <param name="PartitionOrder">The residual has 2 to this many parts, where the block allows it.</param>
/// <param name="Parameter">Of the Rice codes; −1: plain binary residuals.</param>
/// <param name="Wasted">Zero bits at the end of each sample.</param>
internal sealed record FlacChoice(int Kind, int Order, int[] Coefficients, int Precision, int Shift, int PartitionOrder, int Parameter, int Wasted);

/// <summary>A FLAC encoder after RFC 9639 that does what it is told, however bad the compression, to reach every path of a decoder.</summary>
internal sealed class FlacWriter
{
    private static readonly int[][] Polynomials = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]];

    private readonly List<byte> _bytes = [];
    private ulong _pending;
    private int _pendingBits;

    /// <summary>A whole file.</summary>
    /// <param name="channels">[channels][samples].</param>
    /// <param name="bits">Of a sample.</param>
    /// <param name="rate">In Hz.</param>
    /// <param name="blocks">Sizes of the blocks; one size with a shorter last one gives a stream of fixed blocks.</param>
    /// <param name="stereo">The channel code: 0 for independent, else 8–10.</param>
    /// <param name="choices">One a channel.</param>
    /// <param name="checksum">MD5; zeros: none.</param>
    /// <param name="claimedFrames">In the header.</param>
    public static byte[] File(int[][] channels, int bits, int rate, int[] blocks, int stereo, FlacChoice[] choices, byte[] checksum, long claimedFrames)
    {
        bool variable = blocks[..^1].Any(size => size != blocks[0]) || blocks[^1] > blocks[0];
        FlacWriter file = new();
        file._bytes.AddRange("fLaC"u8.ToArray());
        file.Bits(0, 8);
        file.Bits(34, 24);
        file.Bits((ulong)Math.Max(16, variable ? blocks.Min() : blocks[0]), 16);
        file.Bits((ulong)Math.Max(16, blocks.Max()), 16);
        file.Bits(0, 48);
        file.Bits((ulong)rate, 20);
        file.Bits((ulong)channels.Length - 1, 3);
        file.Bits((ulong)bits - 1, 5);
        file.Bits((ulong)claimedFrames, 36);
        file._bytes.AddRange(checksum);
        file._bytes.AddRange([0x81, 0, 0, 3, 1, 2, 3]); // padding, the last block
        long first = 0;
        for (int i = 0; i < blocks.Length; i++)
        {
            int[][] part = [.. channels.Select(c => c[(int)first..(int)(first + blocks[i])])];
            file.Frame(part, bits, variable, variable ? first : i, stereo, choices);
            first += blocks[i];
        }

        return [.. file._bytes];
    }

    private void Frame(int[][] channels, int bits, bool variable, long number, int stereo, FlacChoice[] choices)
    {
        int start = _bytes.Count, size = channels[0].Length;
        Bits(variable ? 0xFFF9u : 0xFFF8u, 16);
        Bits(size <= 256 ? 6u : 7u, 4);
        Bits(0, 4); // the rate of the stream
        Bits((ulong)(stereo == 0 ? channels.Length - 1 : stereo), 4);
        Bits(0, 4); // the bits of the stream
        Number(number);
        Bits((ulong)size - 1, size <= 256 ? 8 : 16);
        Bits(Crc(_bytes.Skip(start), 8, 0x07), 8);
        long[][] coded = [.. channels.Select(c => c.Select(x => (long)x).ToArray())];
        if (stereo != 0)
        {
            long[] side = [.. coded[0].Zip(coded[1], (left, right) => left - right)];
            long[] mid = [.. coded[0].Zip(coded[1], (left, right) => (left + right) >> 1)];
            coded = stereo switch { 8 => [coded[0], side], 9 => [side, coded[1]], _ => [mid, side] };
        }

        for (int c = 0; c < coded.Length; c++)
        {
            bool isSide = (stereo, c) is (8 or 10, 1) or (9, 0);
            Subframe(coded[c], bits + (isSide ? 1 : 0), choices[c]);
        }

        Bits(0, (8 - _pendingBits) % 8);
        Bits(Crc(_bytes.Skip(start), 16, 0x8005), 16);
    }

    private void Subframe(long[] samples, int bits, FlacChoice choice)
    {
        int wasted = choice.Wasted;
        while (wasted > 0 && (wasted >= bits || samples.Any(x => (x & ((1L << wasted) - 1)) != 0)))
        {
            wasted--;
        }

        long[] kept = [.. samples.Select(x => x >> wasted)];
        bits -= wasted;
        int[] coefficients = choice.Kind == 2 ? Polynomials[Math.Min(choice.Order, 4)] : choice.Coefficients;
        int shift = choice.Kind == 2 ? 0 : choice.Shift;
        long[]? residual = choice.Kind >= 2 && coefficients.Length <= kept.Length ? Residual(kept, coefficients, shift) : null;
        int kind = choice.Kind switch
        {
            0 when kept.All(x => x == kept[0]) => 0,
            >= 2 when residual is not null && residual.All(r => Math.Abs(r) < 1 << 30) && kept.Length > 0 => choice.Kind,
            _ => 1,
        };
        Bits(0, 1);
        Bits(kind switch { 0 => 0u, 1 => 1u, 2 => 8u + (uint)coefficients.Length, _ => 31u + (uint)coefficients.Length }, 6);
        Bits(wasted > 0 ? 1u : 0, 1);
        if (wasted > 0)
        {
            Unary((uint)wasted - 1);
        }

        if (kind < 2)
        {
            foreach (long x in kind == 0 ? kept[..1] : kept)
            {
                Bits((ulong)x, bits);
            }

            return;
        }

        foreach (long x in kept[..coefficients.Length])
        {
            Bits((ulong)x, bits);
        }

        if (kind == 3)
        {
            Bits((ulong)choice.Precision - 1, 4);
            Bits((ulong)shift, 5);
            foreach (int c in coefficients)
            {
                Bits((ulong)c, choice.Precision);
            }
        }

        Residual(residual!, kept.Length, coefficients.Length, choice);
    }

    private static long[] Residual(long[] samples, int[] coefficients, int shift)
    {
        long[] residual = new long[samples.Length - coefficients.Length];
        for (int i = coefficients.Length; i < samples.Length; i++)
        {
            long sum = 0;
            for (int j = 0; j < coefficients.Length; j++)
            {
                sum += coefficients[j] * samples[i - 1 - j];
            }

            residual[i - coefficients.Length] = samples[i] - (sum >> shift);
        }

        return residual;
    }

    private void Residual(long[] residual, int length, int order, FlacChoice choice)
    {
        int partitions = choice.PartitionOrder;
        while (partitions > 0 && (length % (1 << partitions) != 0 || length >> partitions < order))
        {
            partitions--;
        }

        int part = length >> partitions, at = 0;
        bool wide = choice.Parameter > 14;
        Bits(wide ? 1u : 0, 2);
        Bits((ulong)partitions, 4);
        for (int p = 0; p < 1 << partitions; p++)
        {
            long[] values = residual[at..(at + part - (p == 0 ? order : 0))];
            at += values.Length;
            long largest = values.Select(Math.Abs).DefaultIfEmpty(0).Max();

            // Short codes for large values would be long runs of zeros; a few are wanted, megabytes are not.
            int needed = Math.Max(0, BitOperations.Log2((ulong)largest + 1) - 9), parameter = Math.Max(choice.Parameter, needed);
            if (choice.Parameter < 0 || parameter > (wide ? 30 : 14))
            {
                int width = largest == 0 ? 0 : BitOperations.Log2((ulong)largest) + 2;
                Bits(wide ? 31u : 15, wide ? 5 : 4);
                Bits((ulong)width, 5);
                foreach (long r in values)
                {
                    Bits((ulong)r, width);
                }

                continue;
            }

            Bits((ulong)parameter, wide ? 5 : 4);
            foreach (long r in values)
            {
                ulong code = r >= 0 ? (ulong)r << 1 : ((ulong)-r << 1) - 1;
                Unary((uint)(code >> parameter));
                Bits(code, parameter);
            }
        }
    }

    private void Number(long value)
    {
        if (value < 0x80)
        {
            Bits((ulong)value, 8);
            return;
        }

        int more = 1;
        while (value >= 1L << ((6 * more) + (6 - more)))
        {
            more++;
        }

        Bits((0xFF00u >> (more + 1) & 0xFF) | ((ulong)value >> (6 * more)), 8);
        for (int i = more - 1; i >= 0; i--)
        {
            Bits(0x80 | (((ulong)value >> (6 * i)) & 0x3F), 8);
        }
    }

    private void Unary(uint zeros)
    {
        for (; zeros > 0; zeros--)
        {
            Bits(0, 1);
        }

        Bits(1, 1);
    }

    private void Bits(ulong value, int count)
    {
        for (int i = count - 1; i >= 0; i--)
        {
            _pending = (_pending << 1) | ((value >> i) & 1);
            if (++_pendingBits == 8)
            {
                _bytes.Add((byte)_pending);
                (_pending, _pendingBits) = (0, 0);
            }
        }
    }

    private static uint Crc(IEnumerable<byte> bytes, int width, uint polynomial)
    {
        uint crc = 0, top = 1u << (width - 1);
        foreach (byte b in bytes)
        {
            crc ^= (uint)b << (width - 8);
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & top) != 0 ? (crc << 1) ^ polynomial : crc << 1;
            }
        }

        return crc & (top | (top - 1));
    }
}
