namespace LinearCald.Data.Speech.Decoding;

/// <summary>The log-softmax of one frame after another.</summary>
internal static class FrameLogProbabilities
{
    /// <returns>The number of frames.</returns>
    /// <exception cref="CaldException">The logits are no frames of so many classes, or the blank is none of them.</exception>
    public static int Frames(ReadOnlySpan<float> logits, int classes, int blank)
    {
        if (classes < 1 || logits.Length % classes != 0)
        {
            throw new CaldException($"CTC decoding: {logits.Length} logits are no whole number of frames of {classes} classes");
        }

        return (uint)blank < (uint)classes
            ? logits.Length / classes
            : throw new CaldException($"CTC decoding: the blank is class {blank}, but there are classes 0 to {classes - 1}");
    }

    /// <summary>Fills <paramref name="log"/> and returns the class with the largest logit, the first of equal ones.</summary>
    /// <exception cref="CaldException">A logit is NaN or +∞, or all are −∞.</exception>
    public static int Of(ReadOnlySpan<float> logits, int frame, Span<double> log)
    {
        ReadOnlySpan<float> row = logits.Slice(frame * log.Length, log.Length);
        double normaliser = Normaliser(row, frame, out int best);
        for (int c = 0; c < row.Length; c++)
        {
            log[c] = row[c] - normaliser;
        }

        return best;
    }

    /// <summary>ln Σ e^x of a frame, and its best class.</summary>
    /// <exception cref="CaldException">A logit is NaN or +∞, or all are −∞.</exception>
    public static double Normaliser(ReadOnlySpan<float> row, int frame, out int best)
    {
        best = 0;
        for (int c = 1; c < row.Length; c++)
        {
            best = row[c] > row[best] ? c : best;
        }

        double largest = row[best], sum = 0;
        foreach (float x in row)
        {
            sum += Math.Exp(x - largest);
        }

        return double.IsNaN(sum)
            ? throw new CaldException($"CTC decoding: frame {frame} has a logit that is no number; the audio or the model is damaged")
            : largest + Math.Log(sum);
    }
}
