namespace LinearCald.Data.Tests.Audio;

/// <summary>
/// The files in Assets, made by the reference FLAC encoder from samples that integer formulas define (tools/make_flac_assets.py has the same ones).
/// </summary>
internal static class FlacAssets
{
    private const int Length = 1500;

    /// <summary>A file.</summary>
    public static byte[] Bytes(string name)
    {
        using Stream stream = typeof(FlacAssets).Assembly.GetManifestResourceStream($"audio/{name}.flac") ?? throw new InvalidOperationException($"no asset {name}");
        using MemoryStream bytes = new();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>Its samples, [channels][length].</summary>
    public static int[][] Samples(string name, int channels, int bits) => name switch
    {
        "constant16" => [[.. Enumerable.Repeat(-1234, Length)]],
        "verbatim16" => [Noise(16, 7)],
        "wasted16" => [[.. Tone(12, 1).Select(x => x * 16)]],
        "leftside16" => LeftSide(),
        "midside16" => Middle(16, 15),
        "lpc24" => Middle(24, 20),
        "wide32" => Middle(32, 31),
        _ => [.. Enumerable.Range(0, channels).Select(c => Tone(bits, c + 1))],
    };

    /// <summary>A decaying resonance, excited by noise and by an impulse every 300 samples, in integers: y = (1.9·y₁ − 0.98·y₂) + e.</summary>
    private static int[] Tone(int bits, int seed)
    {
        int[] noise = Noise(16, seed), samples = new int[Length];
        long limit = (1L << (bits - 1)) - 1, last = 0, before = 0;
        for (int i = 0; i < Length; i++)
        {
            long excitation = (i + (37 * seed)) % 300 == 0 ? limit / 8 : noise[i] * limit >> 25;
            long y = Math.Clamp((((1945 * last) - (1003 * before)) >> 10) + excitation, -limit, limit);
            (samples[i], before, last) = ((int)y, last, y);
        }

        return samples;
    }

    private static int[][] LeftSide()
    {
        int[] left = Tone(15, 3), noise = Noise(4, 4);
        return [left, [.. left.Zip(noise, (l, n) => l + n)]];
    }

    private static int[][] Middle(int bits, int sideBits)
    {
        int[] middle = Tone(bits - 1, 5), side = Tone(sideBits, 6);
        int[] left = [.. middle.Zip(side, (m, s) => m + ((s + 1) >> 1))];
        return [left, [.. left.Zip(side, (l, s) => l - s)]];
    }

    /// <summary>The top bits of a linear congruential sequence.</summary>
    private static int[] Noise(int bits, int seed)
    {
        uint state = (uint)seed * 2654435761;
        int[] samples = new int[Length];
        for (int i = 0; i < Length; i++)
        {
            state = (state * 1664525) + 1013904223;
            samples[i] = (int)state >> (32 - bits);
        }

        return samples;
    }
}
