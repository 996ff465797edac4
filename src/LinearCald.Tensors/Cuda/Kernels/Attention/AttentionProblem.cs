namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>One call of softmax attention: q and y [Batch, QueryLength, Heads · HeadSize], k and v [Batch, KeyLength, Heads · HeadSize].</summary>
/// <param name="Precision">Of the products; says what the data are.</param>
/// <param name="Scale">Factor of the scores; above 0.</param>
/// <param name="Causal">Query i sees keys up to i + KeyLength − QueryLength.</param>
/// <param name="Dropout">Probability that a probability is dropped.</param>
/// <param name="Key">Names the dropout mask.</param>
internal readonly record struct AttentionProblem(
    GemmPrecision Precision, int Batch, int Heads, int QueryLength, int KeyLength, int HeadSize, double Scale, bool Causal = false, double Dropout = 0, DeviceRandomKey Key = default)
{
    /// <summary>Columns of all heads.</summary>
    public int Width => Heads * HeadSize;

    /// <summary>What the kernels are told.</summary>
    public AttentionSizes Sizes => new()
    {
        Heads = Heads,
        QueryLength = QueryLength,
        KeyLength = KeyLength,
        Width = Width,
        Scale = (float)Scale,
        Scale2 = (float)(Scale * Base2.Log2E),
        Threshold = Cpu.AttentionDropout<float>.Threshold(Dropout),
        Kept = Cpu.AttentionDropout<float>.Kept(Dropout),
        Key = Key,
    };

    /// <summary>What the kernels are compiled for.</summary>
    /// <param name="hasLengths">Whether samples have their own numbers of keys.</param>
    /// <param name="addresses">The addresses of all tensors of data, or-ed together.</param>
    public AttentionTraits Traits(bool hasLengths, nint addresses)
    {
        long alignment = addresses | ((nint)HeadSize * Precision.ElementBytes());
        return new(HeadSize, Causal, hasLengths, Dropout > 0, alignment % 16 == 0, alignment % (2 * Precision.ElementBytes()) == 0);
    }

    /// <summary>Refuses what the kernels cannot compute.</summary>
    /// <exception cref="CaldException">A size below 1, a scale that is not above 0, or a dropout outside [0, 1).</exception>
    public void Check()
    {
        if (Batch < 0 || Heads < 1 || QueryLength < 0 || KeyLength < 1 || HeadSize < 1)
        {
            throw new CaldException($"Attention: {Batch} samples × {Heads} heads × {QueryLength} queries × {KeyLength} keys of size {HeadSize}: every size must be at least 1.");
        }

        if (!(Scale > 0) || !(Dropout >= 0 && Dropout < 1))
        {
            throw new CaldException($"Attention: scale {Scale} must be above 0 on a GPU, dropout {Dropout} at least 0 and below 1.");
        }
    }
}
