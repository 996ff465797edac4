namespace LinearCald.Data.Audio;

/// <summary>How <see cref="WavWriter"/> stores a sample.</summary>
public enum WavEncoding
{
    /// <summary>Unsigned 8-bit integers.</summary>
    Pcm8,

    /// <summary>16-bit integers.</summary>
    Pcm16,

    /// <summary>24-bit integers.</summary>
    Pcm24,

    /// <summary>32-bit integers.</summary>
    Pcm32,

    /// <summary>IEEE single precision, not clipped.</summary>
    Float32,

    /// <summary>IEEE double precision, not clipped.</summary>
    Float64,

    /// <summary>G.711 A-law, 8 bits.</summary>
    ALaw,

    /// <summary>G.711 µ-law, 8 bits.</summary>
    MuLaw,
}
