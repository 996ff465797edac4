namespace LinearCald.Data.Speech.Decoding;

/// <summary>The likeliest class of every frame, repeats merged, blanks dropped: the best alignment, not always the best text.</summary>
public static class CtcGreedyDecoder
{
    /// <param name="logits">[T, V] row after row; log-probabilities will do as well.</param>
    /// <param name="classes">V.</param>
    /// <param name="blank">The class that stands for no token.</param>
    /// <exception cref="CaldException">The logits are no whole frames, or one is NaN.</exception>
    public static CtcPath Decode(ReadOnlySpan<float> logits, int classes, int blank)
    {
        int count = FrameLogProbabilities.Frames(logits, classes, blank), before = blank;
        List<int> tokens = [], frames = [];
        double total = 0;
        for (int t = 0; t < count; t++)
        {
            ReadOnlySpan<float> row = logits.Slice(t * classes, classes);
            double normaliser = FrameLogProbabilities.Normaliser(row, t, out int best);
            total += row[best] - normaliser;
            if (best != blank && best != before)
            {
                tokens.Add(best);
                frames.Add(t);
            }

            before = best;
        }

        return new CtcPath([.. tokens], [.. frames], total);
    }
}
