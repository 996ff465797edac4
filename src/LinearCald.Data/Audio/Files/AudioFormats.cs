using LinearCald.Data.Audio.Files.Flac;
using LinearCald.Data.Audio.Files.Library;

namespace LinearCald.Data.Audio.Files;

/// <summary>Finds the format of a file by its first bytes.</summary>
internal static class AudioFormats
{
    private const int MarkBytes = 16;

    /// <summary>Opens a decoder, which then owns the source; on an error the source is closed.</summary>
    /// <param name="source">At its start.</param>
    /// <param name="useLibrary">Whether formats that are not read by managed code go to libsndfile.</param>
    /// <exception cref="CaldException">The file is no audio, is damaged, or its format cannot be read here.</exception>
    public static AudioDecoder Open(AudioSource source, bool useLibrary = true)
    {
        try
        {
            return Managed(source, out string? kind) ?? Foreign(source, kind, useLibrary);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>What a file is by its first bytes; null: nothing that is known.</summary>
    public static string? Recognise(AudioSource source)
    {
        ReadOnlySpan<byte> mark = source.Peek(MarkBytes);
        return mark switch
        {
            _ when mark.StartsWith("fLaC"u8) => "FLAC",
            _ when mark.StartsWith("NIST_1A\n"u8) => "SPHERE",
            _ when mark.StartsWith("RIFF"u8) || mark.StartsWith("RF64"u8) || mark.StartsWith("BW64"u8) => "WAV",
            _ => Kind(mark),
        };
    }

    /// <summary>Null for a file of another kind; the source then stands at its start, as far as it can seek.</summary>
    private static AudioDecoder? Managed(AudioSource source, out string? kind)
    {
        if (source.Peek(1).Length == 0)
        {
            throw source.Error(0, "the file is empty; audio is expected");
        }

        kind = Recognise(source);
        switch (kind)
        {
            case "FLAC":
                return new FlacDecoder(source);
            case "SPHERE":
                return new PcmDecoder(source, SphereHeader.Read(source));
            case "WAV":
                PcmLayout? layout = WavHeader.Read(source, out int tag);
                kind = $"WAV of format tag {tag}";
                return layout is null ? null : new PcmDecoder(source, layout);
            default:
                return null;
        }
    }

    /// <summary>What a file is that managed code does not read; null: unknown.</summary>
    private static string? Kind(ReadOnlySpan<byte> mark)
    {
        if (mark.StartsWith("OggS"u8))
        {
            return "Ogg (Vorbis, Opus, FLAC)";
        }

        if (mark.StartsWith("ID3"u8) || IsMpegFrame(mark))
        {
            return "MP3";
        }

        if (mark.StartsWith("FORM"u8))
        {
            return "AIFF";
        }

        return mark switch
        {
            _ when mark.StartsWith(".snd"u8) => "AU",
            _ when mark.StartsWith("caff"u8) => "CAF",
            _ when mark.StartsWith("riff"u8) => "W64",
            _ when mark.StartsWith("RIFX"u8) => "big-endian WAV",
            _ => null,
        };
    }

    /// <summary>Whether this can be the head of an MPEG layer III frame: sync bits, and a bit rate and sample rate that are defined.</summary>
    private static bool IsMpegFrame(ReadOnlySpan<byte> mark) =>
        mark.Length > 2 && mark[0] == 0xFF && (mark[1] & 0xE6) == 0xE2 && (mark[2] >> 4) is > 0 and < 15 && (mark[2] & 12) != 12;

    private static SndFileDecoder Foreign(AudioSource source, string? kind, bool useLibrary)
    {
        const string Read = "WAV, FLAC and SPHERE are read without it";
        if (useLibrary && LibSndFile.IsPresent)
        {
            if (source.Position > 0 && !source.CanSeek)
            {
                throw source.Error(source.Position, $"{kind} cannot be read from a stream that does not seek; give it as a file, or convert it ({Read})");
            }

            return new SndFileDecoder(source, kind);
        }

        throw kind is not null
            ? new CaldException(
                $"{source.Name}: {kind} is read by the library libsndfile, and {LibSndFile.FileName} is not installed here; install it (package libsndfile1 or libsndfile) " +
                $"or convert the file ({Read})")
            : source.Error(0, $"this is no audio file that is known here: it begins with the bytes {Convert.ToHexString(source.Peek(MarkBytes))}. {Read}; other formats need {LibSndFile.FileName}, which is not installed");
    }
}
