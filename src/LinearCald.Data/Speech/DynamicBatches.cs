namespace LinearCald.Data.Speech;

/// <summary>Packs utterances into batches by what they cost when padded, not by a fixed number.</summary>
public static class DynamicBatches
{
    /// <summary>
    /// Greedy packing: utterances come in the order given, and a new batch begins before one with which the current batch would hold more
    /// than <paramref name="maximumCount"/> utterances, or n·ℓ above <paramref name="frameLimit"/>, or n·ℓ² above
    /// <paramref name="squareLimit"/>, n being the utterances with it and ℓ the longest of them. An utterance that is above a limit on its own
    /// forms a batch of its own. No batch is empty, and every utterance is in one.
    /// </summary>
    /// <param name="order">The utterances, as indices into <paramref name="samples"/>; sorted by length they need little padding.</param>
    /// <param name="samples">Samples of every utterance.</param>
    /// <param name="maximumCount">Utterances of a batch, at most.</param>
    /// <param name="frameLimit">Padded samples of a batch, at most; 0 = no limit.</param>
    /// <param name="squareLimit">The same for n·ℓ², what attention costs; 0 = no limit.</param>
    public static IReadOnlyList<int[]> Pack(
        IReadOnlyList<int> order, IReadOnlyList<int> samples, int maximumCount, long frameLimit = 0, double squareLimit = 0)
    {
        ArgumentNullException.ThrowIfNull(order);
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumCount, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(frameLimit);
        ArgumentOutOfRangeException.ThrowIfNegative(squareLimit);
        List<int[]> batches = [];
        List<int> current = [];
        int longest = 0;
        foreach (int index in order)
        {
            int length = Math.Max(longest, samples[index]);
            if (current.Count > 0 && (current.Count == maximumCount || Exceeds(current.Count + 1, length, frameLimit, squareLimit)))
            {
                batches.Add([.. current]);
                current.Clear();
                length = samples[index];
            }

            current.Add(index);
            longest = length;
        }

        if (current.Count > 0)
        {
            batches.Add([.. current]);
        }

        return batches;
    }

    /// <summary>Whether a batch of so many utterances of so many samples is above a limit.</summary>
    public static bool Exceeds(int count, int samples, long frameLimit, double squareLimit) =>
        (frameLimit > 0 && (long)count * samples > frameLimit) || (squareLimit > 0 && (double)count * samples * samples > squareLimit);

    /// <summary>All utterances, longest first, so that the largest buffers are asked for at once: the batches of an evaluation.</summary>
    /// <param name="samples">Samples of every utterance.</param>
    /// <param name="rule">Limits of training; they are halved, as the reference does, because whole parts are evaluated without a filter.</param>
    public static IReadOnlyList<int[]> ForEvaluation(IReadOnlyList<int> samples, SpeechBatchRule rule)
    {
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentNullException.ThrowIfNull(rule);
        int[] order = [.. Enumerable.Range(0, samples.Count)];
        SortByLength(order, samples);
        Array.Reverse(order);
        return Pack(order, samples, rule.BatchSize, (rule.FrameLimit + 1) / 2, rule.SquareLimit / 2);
    }

    /// <summary>Sorts by length, shortest first; equally long ones keep their order.</summary>
    internal static void SortByLength(Span<int> order, IReadOnlyList<int> samples)
    {
        long[] keys = new long[order.Length];
        for (int i = 0; i < keys.Length; i++)
        {
            keys[i] = ((long)samples[order[i]] << 32) | (uint)i;
        }

        keys.AsSpan().Sort(order);
    }
}
