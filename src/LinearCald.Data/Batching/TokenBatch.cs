namespace LinearCald.Data.Batching;

/// <summary>A batch as a model takes it: B rows of L token ids, valid ones first, then padding.</summary>
public sealed class TokenBatch
{
    /// <param name="ids">Token ids [B × L], row by row.</param>
    /// <param name="lengths">Valid tokens of each row [B].</param>
    /// <param name="labels">Class of each row [B].</param>
    /// <param name="length">L.</param>
    public TokenBatch(int[] ids, int[] lengths, int[] labels, int length)
    {
        Ids = ids;
        Lengths = lengths;
        Labels = labels;
        Length = length;
        TokenCount = lengths.Sum();
    }

    /// <summary>Token ids [B × L], row by row.</summary>
    public int[] Ids { get; }

    /// <summary>Valid tokens of each row [B]; each is 1 … L.</summary>
    public int[] Lengths { get; }

    /// <summary>Class of each row [B].</summary>
    public int[] Labels { get; }

    /// <summary>B.</summary>
    public int Count => Lengths.Length;

    /// <summary>L.</summary>
    public int Length { get; }

    /// <summary>Valid tokens of all rows; the rest of B·L is padding.</summary>
    public int TokenCount { get; }
}
