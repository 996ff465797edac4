namespace LinearCald.Data.Speech;

/// <summary>One utterance: where its audio is, what is said, and by whom. Audio is decoded only when it is asked for.</summary>
/// <param name="Name">Unique within the corpus; names the utterance in results.</param>
/// <param name="File">Path of the audio file.</param>
/// <param name="Transcript">What is said, normalised; empty where the corpus has no transcripts.</param>
/// <param name="Samples">Length of the utterance at 16 kHz, by the file's header.</param>
public sealed record SpeechExample(string Name, string File, string Transcript, int Samples)
{
    /// <summary>The first frame of the utterance in a longer file, counted in the file's own rate.</summary>
    public long FirstFrame { get; init; }

    /// <summary>Frames of the utterance in the file's own rate; −1 = to the end of the file.</summary>
    public long Frames { get; init; } = -1;

    /// <summary>A class for each of <see cref="SpeechCorpus.Targets"/>, as an index into its names.</summary>
    public IReadOnlyList<int> Labels { get; init; } = [];

    /// <summary>Who speaks, where that is known.</summary>
    public string? Speaker { get; init; }

    /// <summary>Seconds of speech.</summary>
    public double Seconds => Samples / (double)SpeechCorpus.SampleRate;
}
