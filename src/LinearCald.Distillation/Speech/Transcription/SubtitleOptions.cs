namespace LinearCald.Distillation.Speech.Transcription;

/// <summary>How words are grouped into cues. The defaults are what broadcasters commonly ask for.</summary>
public sealed record SubtitleOptions
{
    /// <summary>Characters of a line, at most; a single word may be longer.</summary>
    public int LineCharacters { get; init; } = 42;

    /// <summary>Lines of a cue, at most.</summary>
    public int Lines { get; init; } = 2;

    /// <summary>Seconds from the first word of a cue to the end of its last, at most; a single word may take longer.</summary>
    public double MaximumSeconds { get; init; } = 6;

    /// <summary>A cue that is shorter stays up for so many seconds, if the next one does not begin before.</summary>
    public double MinimumSeconds { get; init; } = 1;

    /// <summary>A silence of so many seconds between two words ends a cue.</summary>
    public double Pause { get; init; } = 0.7;
}
