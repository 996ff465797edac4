namespace LinearCald.Distillation.Scoring;

/// <summary>Answers of two runs on the same file, question by question.</summary>
/// <param name="Task">Name of the task.</param>
/// <param name="Examples">Questions that both have answered.</param>
/// <param name="Differences">Lines of the questions whose answers differ.</param>
/// <param name="LargestError">Largest |ours − theirs| / max(1, |theirs|) of a log-likelihood.</param>
public sealed record PredictionComparison(string Task, int Examples, IReadOnlyList<int> Differences, double LargestError);
