namespace LinearCald.Data.Audio.Files;

/// <summary>How one sample is stored; little-endian where the name does not say otherwise.</summary>
internal enum SampleEncoding
{
    Unsigned8,
    Signed16,
    Signed24,
    Signed32,
    Signed16BigEndian,
    Signed24BigEndian,
    Signed32BigEndian,
    Float32,
    Float64,
    ALaw,
    MuLaw,
}

/// <summary>Properties of encodings.</summary>
internal static class SampleEncodingExtensions
{
    /// <summary>Bytes of a sample.</summary>
    public static int Bytes(this SampleEncoding encoding) => encoding switch
    {
        SampleEncoding.Unsigned8 or SampleEncoding.ALaw or SampleEncoding.MuLaw => 1,
        SampleEncoding.Signed16 or SampleEncoding.Signed16BigEndian => 2,
        SampleEncoding.Signed24 or SampleEncoding.Signed24BigEndian => 3,
        SampleEncoding.Float64 => 8,
        _ => 4,
    };

    /// <summary>Whether a sample can be NaN.</summary>
    public static bool IsFloat(this SampleEncoding encoding) => encoding is SampleEncoding.Float32 or SampleEncoding.Float64;

    /// <summary>In words.</summary>
    public static string Describe(this SampleEncoding encoding) => encoding switch
    {
        SampleEncoding.Float32 or SampleEncoding.Float64 => $"{8 * encoding.Bytes()}-bit float",
        SampleEncoding.ALaw => "A-law",
        SampleEncoding.MuLaw => "µ-law",
        SampleEncoding.Signed16BigEndian or SampleEncoding.Signed24BigEndian or SampleEncoding.Signed32BigEndian =>
            $"{8 * encoding.Bytes()}-bit PCM, big-endian",
        _ => $"{8 * encoding.Bytes()}-bit PCM",
    };
}
