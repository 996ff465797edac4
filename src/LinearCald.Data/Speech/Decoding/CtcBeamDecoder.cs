namespace LinearCald.Data.Speech.Decoding;

/// <summary>
/// Prefix beam search (Graves 2012; Hannun, Maas, Jurafsky and Ng 2014): the text whose alignments are likeliest together, among those that stay within the beam, with an
/// n-gram model of words where one is given. Immutable; any thread may use it.
/// </summary>
public sealed class CtcBeamDecoder
{
    private readonly CtcBeamOptions _options;

    /// <exception cref="CaldException">A setting has no meaning.</exception>
    public CtcBeamDecoder(CtcBeamOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _options = options;
    }

    /// <summary>The best text. Time grows with frames × width × classes that are not pruned, memory with the texts in the beam.</summary>
    /// <param name="logits">[T, V] row after row; log-probabilities will do as well.</param>
    /// <param name="classes">V.</param>
    /// <param name="blank">The class that stands for no token.</param>
    /// <exception cref="CaldException">The logits are no whole frames of the vocabulary's classes, or one is NaN.</exception>
    public CtcPath Decode(ReadOnlySpan<float> logits, int classes, int blank)
    {
        int count = FrameLogProbabilities.Frames(logits, classes, blank);
        if (_options.Vocabulary is { } vocabulary && vocabulary.Size > classes)
        {
            throw new CaldException($"CTC beam search: the vocabulary has {vocabulary.Size} tokens, the model {classes} classes");
        }

        CtcPrefix root = new(null, -1) { Kept = true, Words = _options.ScoresWords ? WordScore.Begin(_options) : null };
        root.Now.Blank = root.Now.BestBlank = 0;
        List<CtcPrefix> beam = [root], reached = [];
        PriorityQueue<CtcPrefix, Rank> kept = new();
        double[] log = new double[classes];
        int[] tried = new int[classes];
        for (int t = 0; t < count; t++)
        {
            FrameLogProbabilities.Of(logits, t, log);
            int tries = 0;
            for (int c = 0; c < classes; c++)
            {
                if (c != blank && log[c] >= _options.LeastLogProbability && !double.IsNegativeInfinity(log[c]))
                {
                    tried[tries++] = c;
                }
            }

            Extend(beam, reached, log, tried.AsSpan(0, tries), blank, t);
            Prune(beam, reached, kept);
        }

        return Best(beam);
    }

    /// <summary>All texts that one frame makes of those in the beam.</summary>
    private static void Extend(List<CtcPrefix> beam, List<CtcPrefix> reached, double[] log, ReadOnlySpan<int> tried, int blank, int frame)
    {
        reached.Clear();
        foreach (CtcPrefix prefix in beam)
        {
            Reach(prefix, reached, frame).Next.AddBlank(in prefix.Now, log[blank]);
            if (prefix.Token >= 0)
            {
                prefix.Next.Stay(in prefix.Now, log[prefix.Token]);
            }

            foreach (int token in tried)
            {
                bool repeats = token == prefix.Token;
                if (!repeats || !double.IsNegativeInfinity(prefix.Now.Blank))
                {
                    Reach(prefix.Child(token), reached, frame).Next.Begin(in prefix.Now, repeats, frame, log[token]);
                }
            }
        }
    }

    private static CtcPrefix Reach(CtcPrefix prefix, List<CtcPrefix> reached, int frame)
    {
        if (prefix.ReachedAt != frame)
        {
            prefix.ReachedAt = frame;
            reached.Add(prefix);
        }

        return prefix;
    }

    /// <summary>Keeps the best, best first; of equal ones those that were reached first.</summary>
    private void Prune(List<CtcPrefix> beam, List<CtcPrefix> reached, PriorityQueue<CtcPrefix, Rank> kept)
    {
        for (int i = 0; i < reached.Count; i++)
        {
            CtcPrefix prefix = reached[i];
            if (_options.ScoresWords)
            {
                prefix.Words ??= prefix.Parent!.Words!.With(prefix.Token, _options);
            }

            prefix.Kept = false;
            Rank rank = new(prefix.Score, i);
            if (kept.Count < _options.Width)
            {
                kept.Enqueue(prefix, rank);
            }
            else
            {
                kept.EnqueueDequeue(prefix, rank);
            }
        }

        beam.Clear();
        while (kept.TryDequeue(out CtcPrefix? prefix, out _))
        {
            prefix.Kept = true;
            prefix.Advance();
            beam.Add(prefix);
        }

        beam.Reverse();
        foreach (CtcPrefix prefix in reached)
        {
            if (!prefix.Kept)
            {
                prefix.Forget();
                prefix.Drop();
            }
        }
    }

    private CtcPath Best(List<CtcPrefix> beam)
    {
        CtcPrefix best = beam[0];
        double most = double.NegativeInfinity;
        foreach (CtcPrefix prefix in beam)
        {
            double score = prefix.Now.Total + (prefix.Words?.Final(_options) ?? 0);
            if (score > most)
            {
                (best, most) = (prefix, score);
            }
        }

        int[] tokens = best.Tokens(), frames = new int[tokens.Length];
        TokenFrames? at = best.Now.BestLabel > best.Now.BestBlank ? best.Now.LabelFrames : best.Now.BlankFrames;
        for (int i = frames.Length - 1; i >= 0; i--, at = at!.Before)
        {
            frames[i] = at!.Frame;
        }

        return new CtcPath(tokens, frames, best.Now.Total);
    }

    /// <summary>Where a text stands among those of a frame; the worst comes first.</summary>
    private readonly record struct Rank(double Score, int Order) : IComparable<Rank>
    {
        public int CompareTo(Rank other) => Score != other.Score ? Score.CompareTo(other.Score) : other.Order.CompareTo(Order);
    }
}
