namespace LinearCald.Data.ZeroShot;

/// <summary>A task of the zero-shot evaluation.</summary>
/// <param name="Name">As in the harness's table, for example <c>arc_easy</c>.</param>
/// <param name="Path">The file it was read from.</param>
/// <param name="Metrics">What is reported, in this order; the first is the headline figure.</param>
/// <param name="Examples">In the file's order; at least one.</param>
public sealed record ZeroShotTask(string Name, string Path, IReadOnlyList<ZeroShotMetric> Metrics, IReadOnlyList<ZeroShotExample> Examples);
