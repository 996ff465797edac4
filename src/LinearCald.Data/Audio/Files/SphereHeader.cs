using System.Globalization;
using System.Text;

namespace LinearCald.Data.Audio.Files;

/// <summary>The header of a NIST SPHERE file: text, <c>name -type value</c> a line, in a whole number of kilobytes.</summary>
internal static class SphereHeader
{
    private const int LargestBytes = 1 << 16;

    /// <summary>Leaves the source at the first sample.</summary>
    /// <exception cref="CaldException">The header is damaged, or the samples are compressed.</exception>
    public static PcmLayout Read(AudioSource source)
    {
        Span<byte> mark = stackalloc byte[16];
        source.ReadExactly(mark, "the SPHERE header");
        if (!int.TryParse(Encoding.ASCII.GetString(mark[8..]).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int bytes) || bytes is < 32 or > LargestBytes)
        {
            throw source.Error(8, $"a SPHERE header states its length in bytes here, 1024 as a rule; this one is damaged");
        }

        byte[] raw = new byte[bytes - 16];
        source.ReadExactly(raw, "the SPHERE header");
        Dictionary<string, string> fields = Fields(source, raw);
        long rate = Number(source, fields, "sample_rate", null), channels = Number(source, fields, "channel_count", 1);
        AudioLimits.Check(source, 16, rate, channels);
        SampleEncoding encoding = Encode(source, fields);
        long size = encoding.Bytes() * channels, available = (source.Length ?? long.MaxValue) - bytes;
        long frames = Number(source, fields, "sample_count", source.Length is null ? null : available / size);
        if (frames < 0 || frames > available / size)
        {
            throw source.Error(16, $"the SPHERE header promises {frames} sample frames of {size} bytes, {Math.Max(0, available)} bytes follow it; the file is cut short or its header lies");
        }

        return new PcmLayout("SPHERE", encoding, (int)rate, (int)channels, bytes, frames * size);
    }

    private static Dictionary<string, string> Fields(AudioSource source, byte[] raw)
    {
        Dictionary<string, string> fields = new(StringComparer.Ordinal);
        foreach (string line in Encoding.Latin1.GetString(raw).Split('\n'))
        {
            string text = line.Trim();
            if (text == "end_head")
            {
                return fields;
            }

            string[] parts = text.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length == 3 && !text.StartsWith(';'))
            {
                fields[parts[0]] = parts[2];
            }
        }

        throw source.Error(16, "the SPHERE header has no end_head line; it is damaged or cut short");
    }

    private static SampleEncoding Encode(AudioSource source, Dictionary<string, string> fields)
    {
        string coding = fields.GetValueOrDefault("sample_coding", "pcm");
        long bytes = Number(source, fields, "sample_n_bytes", coding is "ulaw" or "mu-law" or "alaw" ? 1 : null);
        string order = fields.GetValueOrDefault("sample_byte_format", "01");
        bool bigEndian = order is "10" or "210" or "3210";
        if (coding.Contains(',', StringComparison.Ordinal))
        {
            throw source.Error(16, $"the SPHERE samples are compressed ({coding}); decompress the file with sph2pipe or w_decode, or convert it to FLAC");
        }

        return (coding, bytes, bigEndian) switch
        {
            ("ulaw" or "mu-law", 1, _) => SampleEncoding.MuLaw,
            ("alaw", 1, _) => SampleEncoding.ALaw,
            ("pcm", 2, false) => SampleEncoding.Signed16,
            ("pcm", 2, true) => SampleEncoding.Signed16BigEndian,
            ("pcm", 3, false) => SampleEncoding.Signed24,
            ("pcm", 3, true) => SampleEncoding.Signed24BigEndian,
            ("pcm", 4, false) => SampleEncoding.Signed32,
            ("pcm", 4, true) => SampleEncoding.Signed32BigEndian,
            _ => throw source.Error(16, $"SPHERE samples of coding '{coding}' and {bytes} bytes are not read; PCM of 2–4 bytes, ulaw and alaw are"),
        };
    }

    private static long Number(AudioSource source, Dictionary<string, string> fields, string name, long? fallback)
    {
        if (!fields.TryGetValue(name, out string? text))
        {
            return fallback ?? throw source.Error(16, $"the SPHERE header has no {name}; it is damaged");
        }

        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw source.Error(16, $"the SPHERE header's {name} is '{text}', no whole number; it is damaged");
    }
}
