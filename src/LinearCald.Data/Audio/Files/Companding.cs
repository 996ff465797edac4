namespace LinearCald.Data.Audio.Files;

/// <summary>The logarithmic codes of telephony, ITU-T G.711: 8 bits with sign, 3-bit exponent (segment) and 4-bit mantissa.</summary>
internal static class Companding
{
    private const int MuBias = 0x84;
    private const int MuClip = 32635;

    /// <summary>A-law codes to 16-bit samples, over 2¹⁵.</summary>
    public static readonly float[] ALaw = Table(ALawSample);

    /// <summary>µ-law codes to 16-bit samples, over 2¹⁵.</summary>
    public static readonly float[] MuLaw = Table(MuLawSample);

    /// <summary>The µ-law code of a sample: the sample plus a bias is a float of 4 mantissa bits; all bits are inverted.</summary>
    public static byte ToMuLaw(int sample)
    {
        int sign = sample < 0 ? 0x80 : 0;
        int magnitude = Math.Min(Math.Abs(sample), MuClip) + MuBias;
        int segment = int.Log2(magnitude) - 7;
        return (byte)~(sign | (segment << 4) | ((magnitude >> (segment + 3)) & 15));
    }

    /// <summary>The A-law code of a sample: 13 bits, sign-magnitude with the lowest segments linear; alternate bits are inverted.</summary>
    public static byte ToALaw(int sample)
    {
        int sign = sample >= 0 ? 0x80 : 0;
        int magnitude = Math.Min(sample >= 0 ? sample : ~sample, short.MaxValue) >> 3;
        int segment = Math.Max(0, int.Log2(magnitude | 1) - 4);
        int mantissa = (segment == 0 ? magnitude >> 1 : magnitude >> segment) & 15;
        return (byte)((sign | (segment << 4) | mantissa) ^ 0x55);
    }

    private static int MuLawSample(int code)
    {
        code = ~code & 0xFF;
        int magnitude = (((code & 15) << 3) + MuBias) << ((code >> 4) & 7);
        return (code & 0x80) != 0 ? MuBias - magnitude : magnitude - MuBias;
    }

    private static int ALawSample(int code)
    {
        code ^= 0x55;
        int segment = (code >> 4) & 7, mantissa = code & 15;
        int magnitude = segment == 0 ? (mantissa << 4) + 8 : ((mantissa << 4) + 0x108) << (segment - 1);
        return (code & 0x80) != 0 ? magnitude : -magnitude;
    }

    private static float[] Table(Func<int, int> sample) => [.. Enumerable.Range(0, 256).Select(code => sample(code) / 32768f)];
}
