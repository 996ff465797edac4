namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Sizes of one Linformer attention call. Queries, keys, values and outputs are [Batch, Length, Heads · HeadSize] as in
/// <see cref="AttentionShape"/>; the projections E and F are [Positions, Rank], the projected keys and values
/// [Batch, Rank, Heads · HeadSize], all without gaps.
/// </summary>
/// <param name="Batch">Samples.</param>
/// <param name="Heads">Heads.</param>
/// <param name="Length">Positions a sample, padding included.</param>
/// <param name="HeadSize">Columns a head.</param>
/// <param name="Rank">Slots that keys and values are compressed to.</param>
/// <param name="Positions">Rows of the projections; at least Length.</param>
internal readonly record struct LinformerShape(int Batch, int Heads, int Length, int HeadSize, int Rank, int Positions)
{
    /// <summary>Columns of all heads.</summary>
    public int Width => Heads * HeadSize;

    /// <summary>The attention over slots: no slot is ever hidden.</summary>
    public AttentionShape Slots => new(Batch, Heads, Length, Rank, HeadSize);

    /// <summary>Refuses sizes below 1, texts longer than the projection, lengths outside 0 … Length, and causal order, which slots do not have.</summary>
    public unsafe void Check(in AttentionOptions options, int* lengths)
    {
        if (Rank < 1)
        {
            throw new CaldException($"Linformer attention: rank {Rank} must be at least 1.");
        }

        if (Length > Positions)
        {
            throw new CaldException(
                $"Linformer attention: the batch is {Length} positions long, but the projection has {Positions} rows. Shorten the texts to {Positions} positions, or convert with a longer projection.");
        }

        if (options.Causal)
        {
            throw new CaldException("Linformer attention mixes all positions into every slot, so it cannot be causal. Use softmax attention.");
        }

        new AttentionShape(Batch, Heads, Length, Math.Max(1, Length), HeadSize).Check(in options, lengths);
    }

    /// <summary>Valid positions of a sample.</summary>
    public unsafe int LengthOf(int* lengths, int sample) => lengths == null ? Length : lengths[sample];
}
