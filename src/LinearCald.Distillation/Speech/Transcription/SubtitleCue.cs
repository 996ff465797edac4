namespace LinearCald.Distillation.Speech.Transcription;

/// <summary>What stands on the screen for a while.</summary>
/// <param name="Start">Seconds from the beginning of the recording.</param>
/// <param name="End">Seconds; not after the next cue's start.</param>
/// <param name="Lines">From top to bottom.</param>
public sealed record SubtitleCue(double Start, double End, IReadOnlyList<string> Lines);
