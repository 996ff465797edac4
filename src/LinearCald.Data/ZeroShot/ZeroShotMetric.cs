namespace LinearCald.Data.ZeroShot;

/// <summary>What the harness reports of a task.</summary>
public enum ZeroShotMetric
{
    /// <summary><c>acc</c>: share of the questions whose gold candidate has the highest summed log probability, or whose only candidate is the greedy one.</summary>
    Accuracy,

    /// <summary><c>acc_norm</c>: the same with each sum divided by <see cref="ZeroShotCandidate.Characters"/>.</summary>
    NormalizedAccuracy,

    /// <summary><c>perplexity</c>: exp(−mean over the questions of the continuation's summed log probability).</summary>
    Perplexity,
}
