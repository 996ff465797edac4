namespace LinearCald.Data.Language;

/// <summary>B rows of L positions, all valid; arrays row by row.</summary>
/// <param name="Ids">Token ids [B × L].</param>
/// <param name="Labels">The token after each position [B × L]; <see cref="IgnoredLabel"/> where there is no loss.</param>
/// <param name="Sequences">
/// The number of the document each position belongs to [B × L], from 0 in each row and rising along it; null where documents are mixed.
/// </param>
/// <param name="Count">B.</param>
/// <param name="Length">L.</param>
public sealed record LanguageBatch(int[] Ids, int[] Labels, int[]? Sequences, int Count, int Length)
{
    /// <summary>The label of positions without loss.</summary>
    public const int IgnoredLabel = -100;

    /// <summary>Positions with a loss.</summary>
    public int TargetCount { get; } = Labels.Length - Labels.AsSpan().Count(IgnoredLabel);
}
