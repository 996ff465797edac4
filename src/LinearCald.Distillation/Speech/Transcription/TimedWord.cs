namespace LinearCald.Distillation.Speech.Transcription;

/// <summary>A word and when it is said.</summary>
/// <param name="Text">Without spaces.</param>
/// <param name="Start">Seconds from the beginning of the recording.</param>
/// <param name="End">Seconds; after <paramref name="Start"/>.</param>
public sealed record TimedWord(string Text, double Start, double End);
