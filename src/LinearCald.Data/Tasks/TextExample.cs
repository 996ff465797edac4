namespace LinearCald.Data.Tasks;

/// <summary>One labelled text, or pair of texts, of a classification task.</summary>
/// <param name="Text">The text; the first of a pair. May be empty, as a few rows of public sets are.</param>
/// <param name="Pair">The second text; null where the task has single texts.</param>
/// <param name="Label">Index of the class within <c>TextTask.Labels</c>.</param>
public sealed record TextExample(string Text, string? Pair, int Label);
