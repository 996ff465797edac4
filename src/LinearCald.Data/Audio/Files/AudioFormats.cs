namespace LinearCald.Data.Audio.Files;

/// <summary>Finds the format of a file by its first bytes.</summary>
internal static class AudioFormats
{
    /// <summary>Opens a decoder, which then owns the source; on an error the source is closed.</summary>
    /// <exception cref="CaldException">The file is no audio, or its format cannot be read here.</exception>
    public static AudioDecoder Open(AudioSource source)
    {
        try
        {
            return Decoder(source);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    private static PcmDecoder Decoder(AudioSource source)
    {
        ReadOnlySpan<byte> head = source.Peek(16);
        if (head.Length == 0)
        {
            throw source.Error(0, "the file is empty; audio is expected");
        }

        if (head.StartsWith("RIFF"u8) || head.StartsWith("RF64"u8) || head.StartsWith("BW64"u8))
        {
            return new PcmDecoder(source, WavHeader.Read(source) ?? throw source.Error(source.Position, "this WAV encoding is not read; convert the file to PCM"));
        }

        throw source.Error(0, $"this is no audio file that can be read; it begins with the bytes {Convert.ToHexString(head)}");
    }
}
