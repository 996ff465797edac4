namespace LinearCald.Data.Batching;

/// <summary>Whether examples of like length are put into one batch, which saves padding.</summary>
public enum BatchBucketing
{
    /// <summary>Batches are consecutive pieces of the shuffled order.</summary>
    None,

    /// <summary>
    /// The shuffled order is cut into windows of <see cref="BatchSampler.WindowBatches"/> batches, each window is sorted by length and cut
    /// into batches, and the batches are shuffled.
    /// </summary>
    Length,
}
