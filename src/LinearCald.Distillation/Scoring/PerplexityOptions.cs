namespace LinearCald.Distillation.Scoring;

/// <summary>How texts are cut and put side by side.</summary>
public sealed record PerplexityOptions
{
    /// <summary>
    /// Tokens of a window. Null: the model's positions; and for a model without such a limit no windows at all, every document is one text, read in chunks.
    /// </summary>
    public int? Context { get; init; }

    /// <summary>Tokens that go through the model at a time, at least one window; also the chunk of a document without windows.</summary>
    public int BatchTokens { get; init; } = 8192;
}
