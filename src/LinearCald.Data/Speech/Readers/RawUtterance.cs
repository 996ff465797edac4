namespace LinearCald.Data.Speech.Readers;

/// <summary>An utterance as a manifest names it; its audio has not been looked at.</summary>
/// <param name="Part">Where it belongs.</param>
/// <param name="Name">Its name.</param>
/// <param name="File">Path of its audio.</param>
/// <param name="Transcript">What is said, as written; empty where the format has no transcripts.</param>
/// <param name="Place">File and line of the manifest, for messages.</param>
internal sealed record RawUtterance(SpeechPart Part, string Name, string File, string Transcript, string Place)
{
    /// <summary>Who speaks.</summary>
    public string? Speaker { get; init; }

    /// <summary>The class of each target, by name.</summary>
    public IReadOnlyList<string> Classes { get; init; } = [];

    /// <summary>Where it begins and ends in the file, in seconds; null for the whole file. Decimals keep 17.82·16,000 exact.</summary>
    public (decimal Start, decimal End)? Segment { get; init; }

    /// <summary>Seconds of the whole file as the manifest states them; null where it does not.</summary>
    public double? StatedSeconds { get; init; }
}
