namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Sizes of one attention call. Queries and outputs are [Batch, QueryLength, Heads · HeadSize], keys and values
/// [Batch, KeyLength, Heads · HeadSize]; head h owns columns h · HeadSize … Rows of one buffer are evenly spaced by its row stride
/// (in elements), over sample borders too, so that a column range of a wider buffer (fused QKV) can be passed.
/// </summary>
/// <param name="Batch">Samples.</param>
/// <param name="Heads">Heads.</param>
/// <param name="QueryLength">Queries a sample, padding included.</param>
/// <param name="KeyLength">Keys a sample, padding included.</param>
/// <param name="HeadSize">Columns a head.</param>
internal readonly record struct AttentionShape(int Batch, int Heads, int QueryLength, int KeyLength, int HeadSize)
{
    /// <summary>Columns of all heads.</summary>
    public int Width => Heads * HeadSize;

    /// <summary>Refuses sizes below 1 and lengths outside 0 … KeyLength.</summary>
    public unsafe void Check(in AttentionOptions options, int* lengths)
    {
        if (Batch < 0 || Heads < 1 || QueryLength < 0 || KeyLength < 1 || HeadSize < 1)
        {
            throw new CaldException(
                $"Attention: {Batch} samples × {Heads} heads × {QueryLength} queries × {KeyLength} keys of size {HeadSize}: every size must be at least 1.");
        }

        if (!(options.Dropout >= 0.0 && options.Dropout < 1.0))
        {
            throw new CaldException($"Attention: dropout {options.Dropout} must be at least 0 and below 1.");
        }

        for (int b = 0; lengths != null && b < Batch; b++)
        {
            if ((uint)lengths[b] > (uint)KeyLength)
            {
                throw new CaldException($"Attention: sample {b} has length {lengths[b]}, but its buffer holds {KeyLength} positions.");
            }
        }
    }

    /// <summary>Index of the first dropout element of a row of probabilities: ((b · Heads + h) · QueryLength + i) · KeyLength.</summary>
    public ulong DropoutRow(int batchHead, int query) => (((ulong)batchHead * (ulong)QueryLength) + (ulong)query) * (ulong)KeyLength;
}

/// <summary>What is computed.</summary>
/// <param name="Scale">Factor of the scores, usually 1/√HeadSize.</param>
/// <param name="Causal">
/// Query i sees keys 0 … i + KeyLength − QueryLength: the last query sees all keys, so that new queries can follow cached keys.
/// </param>
/// <param name="Dropout">Probability that a probability is dropped; the kept ones grow by 1 / (1 − Dropout). 0 is the fast path.</param>
/// <param name="Seed">Key of the dropout mask.</param>
/// <param name="Stream">Sequence of the dropout mask under that seed. The backward pass must be given the same two.</param>
internal readonly record struct AttentionOptions(double Scale, bool Causal = false, double Dropout = 0.0, ulong Seed = 0, ulong Stream = 0);
