using LinearCald.Data.Speech.Readers;

namespace LinearCald.Data.Speech;

/// <summary>The one entry to all readers of speech.</summary>
public static class SpeechCorpora
{
    /// <summary>Reads the manifests of a corpus and the headers of its audio files; no audio is decoded.</summary>
    /// <param name="format">How the corpus is stored.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="options">What to read of it, and what to do about faults.</param>
    /// <exception cref="CaldException">
    /// A manifest is missing or damaged (the message names file and line), no utterance is left, or there are faults that the options do not
    /// allow for: those of one kind are in one message, which counts all and lists the first twenty.
    /// </exception>
    public static SpeechCorpus Read(SpeechFormat format, string folder, SpeechOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        if (!Directory.Exists(folder))
        {
            throw new CaldException(File.Exists(folder)
                ? $"{folder} is a file; the folder of the corpus is expected"
                : $"{folder} does not exist: name the folder of the corpus");
        }

        SpeechAssembly assembly = new(format, folder, options);
        try
        {
            ReadManifests(format, assembly);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CaldException($"{folder} cannot be read: {failure.Message}", failure);
        }

        SpeechCorpus corpus = assembly.Build();
        return options.Vocabulary is { } vocabulary ? corpus.Fit(vocabulary, options) : corpus;
    }

    private static void ReadManifests(SpeechFormat format, SpeechAssembly assembly)
    {
        switch (format)
        {
            case SpeechFormat.Transcripts:
                TranscriptsReader.Read(assembly);
                break;
            case SpeechFormat.TedLium:
                TedLiumReader.Read(assembly);
                break;
            case SpeechFormat.Slurp:
                SlurpReader.Read(assembly);
                break;
            case SpeechFormat.VoxCeleb:
                VoxCelebReader.Read(assembly);
                break;
            default:
                LibriSpeechReader.Read(assembly);
                break;
        }
    }
}
