namespace LinearCald.Data.Audio.Files;

/// <summary>Format tags of a WAV file's <c>fmt </c> chunk.</summary>
internal static class WavTags
{
    public const ushort Pcm = 1;
    public const ushort Float = 3;
    public const ushort ALaw = 6;
    public const ushort MuLaw = 7;
    public const ushort Extensible = 0xFFFE;

    /// <summary>An extensible header names the encoding by a GUID: the tag, then these bytes.</summary>
    public static ReadOnlySpan<byte> GuidTail => [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];
}
