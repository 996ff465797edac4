namespace LinearCald.Data.Speech;

/// <summary>How utterances become batches and updates.</summary>
/// <param name="BatchSize">Utterances of a micro-batch, at most; exactly so many where there are no limits.</param>
public sealed record SpeechBatchRule(int BatchSize)
{
    /// <summary>Padded samples of a micro-batch, at most; 0 = no limit.</summary>
    public long FrameLimit { get; init; }

    /// <summary>n·ℓ² of a micro-batch of n utterances padded to ℓ samples, at most; 0 = no limit.</summary>
    public double SquareLimit { get; init; }

    /// <summary>Micro-batches of an update.</summary>
    public int Accumulation { get; init; } = 1;

    /// <summary>Utterances that are sorted by length together.</summary>
    public int BucketSize { get; init; } = 1024;

    /// <summary>Updates in which only easy utterances are learnt from; 0 = all are from the start.</summary>
    public long WarmUpUpdates { get; init; }

    /// <summary>An easy utterance has at most so many samples (160,000 = 10 s)…</summary>
    public int WarmUpMaximumSamples { get; init; } = 160_000;

    /// <summary>…and at least so many characters; not asked of a corpus without any transcripts.</summary>
    public int WarmUpMinimumCharacters { get; init; } = 3;

    /// <summary>Neither limit is set: micro-batches have a fixed number of utterances.</summary>
    public bool IsFixed => FrameLimit == 0 && SquareLimit == 0;

    /// <summary>Whether an utterance may be learnt from while the data warm up.</summary>
    public bool IsEasy(SpeechExample example, bool transcripts = true)
    {
        ArgumentNullException.ThrowIfNull(example);
        return example.Samples <= WarmUpMaximumSamples && (!transcripts || example.Transcript.Length >= WarmUpMinimumCharacters);
    }

    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(BatchSize, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(FrameLimit);
        ArgumentOutOfRangeException.ThrowIfNegative(SquareLimit);
        ArgumentOutOfRangeException.ThrowIfLessThan(Accumulation, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(BucketSize, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(WarmUpUpdates);
    }
}
