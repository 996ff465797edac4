namespace LinearCald.Models.Wav2Vec2;

/// <summary>One thing that a classifier tells of an utterance: its speaker, or its scenario.</summary>
/// <param name="Name">What it is called in reports.</param>
/// <param name="Labels">Class names in the order of the outputs.</param>
public sealed record ClassificationTarget(string Name, IReadOnlyList<string> Labels)
{
    /// <summary>The name of a target that has none: a model of HuggingFace has one target and no name for it.</summary>
    public const string Unnamed = "label";
}
