using LinearCald.Data.Audio.Files;

namespace LinearCald.Data.Audio;

/// <summary>
/// Reads sound files as one channel in a wanted rate. The format is found by content: WAV, FLAC and SPHERE are read by code of this project; everything
/// else (Ogg, MP3, AIFF, …) by libsndfile, where that library is installed. Any thread may read.
/// </summary>
public static class AudioFile
{
    /// <summary>The rate of the speech models, in Hz.</summary>
    public const int SpeechRate = 16_000;

    /// <summary>In place of a rate: leave the samples in the file's own.</summary>
    public const int OwnRate = 0;

    private static readonly HashSet<string> s_endings = new(StringComparer.OrdinalIgnoreCase)
    {
        ".wav", ".flac", ".sph", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".au", ".caf", ".w64",
    };

    /// <summary>Reads the header only; a file whose header does not give its length is gone through once, to count.</summary>
    /// <exception cref="CaldException">The file is missing, no audio, cut short, or its header contradicts itself; it names the file and the byte.</exception>
    public static AudioInfo Probe(string path)
    {
        using AudioDecoder decoder = AudioFormats.Open(AudioSource.Open(path));
        return new AudioInfo(decoder.SampleRate, decoder.Channels, decoder.Frames ?? ClipReader.Count(decoder), decoder.Format);
    }

    /// <summary>Decodes a whole file and measures its samples; NaN and infinite ones are counted, not refused.</summary>
    /// <exception cref="CaldException">As for <see cref="Probe"/>, or the file holds no samples.</exception>
    public static AudioReport Inspect(string path)
    {
        using AudioDecoder decoder = AudioFormats.Open(AudioSource.Open(path));
        return ClipReader.Measure(decoder);
    }

    /// <summary>Whether a file is audio, by its first bytes or else by the end of its name. It need not be sound, nor readable here.</summary>
    public static bool IsAudio(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!File.Exists(path))
        {
            return false;
        }

        using AudioSource source = AudioSource.Open(path);
        return AudioFormats.Recognise(source) is not null || s_endings.Contains(Path.GetExtension(path));
    }

    /// <summary>Decodes a file or a part of it, mixes the channels down (their mean) and resamples.</summary>
    /// <param name="path">The file.</param>
    /// <param name="sampleRate">The wanted rate in Hz, or <see cref="OwnRate"/>.</param>
    /// <param name="firstFrame">Where to begin, in sample frames of the file's own rate. What is outside the part counts as silence for the resampler.</param>
    /// <param name="frames">How many sample frames; −1 for all that follow. The part must lie within the file.</param>
    /// <exception cref="CaldException">As for <see cref="Probe"/>; or there are no samples, one is NaN or infinite, or the part goes beyond the end.</exception>
    public static AudioClip Read(string path, int sampleRate = SpeechRate, long firstFrame = 0, long frames = -1)
    {
        using AudioDecoder decoder = AudioFormats.Open(AudioSource.Open(path));
        return ClipReader.Read(decoder, sampleRate, firstFrame, frames);
    }

    /// <summary>Decodes a stream to its end; it need not be able to seek (standard input). The caller disposes of the stream.</summary>
    /// <param name="stream">Begins with the first byte of the audio file.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="sampleRate">The wanted rate in Hz, or <see cref="OwnRate"/>.</param>
    /// <exception cref="CaldException">As for files.</exception>
    public static AudioClip Read(Stream stream, string name, int sampleRate = SpeechRate)
    {
        using AudioDecoder decoder = AudioFormats.Open(new AudioSource(stream, name, ownsStream: false));
        return ClipReader.Read(decoder, sampleRate, 0, -1);
    }
}
