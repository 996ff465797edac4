namespace LinearCald.Data.Speech.Decoding;

/// <summary>The frames at which the tokens of a text begin, last one first; texts share what they have in common.</summary>
internal sealed record TokenFrames(int Frame, TokenFrames? Before);

/// <summary>
/// A text within the beam, as a node of the tree of all texts: probabilities (natural logarithms) of the alignments of the frames so far that spell it, those that end in
/// a blank apart from those that end in its last token; and of each kind the single best one, with its frames.
/// </summary>
internal sealed class CtcPrefix
{
    private readonly List<CtcPrefix> _children = [];

    public CtcPrefix(CtcPrefix? parent, int token)
    {
        Parent = parent;
        Token = token;
        Clear(ref Now);
        Clear(ref Next);
    }

    public CtcPrefix? Parent { get; }

    /// <summary>The last token; −1 of the empty text.</summary>
    public int Token { get; }

    /// <summary>Up to the frame before.</summary>
    public Sums Now;

    /// <summary>With the frame at hand.</summary>
    public Sums Next;

    /// <summary>The frame that last reached this text, so that it is listed once.</summary>
    public int ReachedAt { get; set; } = -1;

    /// <summary>Whether it is in the beam.</summary>
    public bool Kept { get; set; }

    /// <summary>The words spelled so far, once they have been looked at.</summary>
    public WordScore? Words { get; set; }

    /// <summary>All alignments so far, and the words.</summary>
    public double Score => Next.Total + (Words?.Score ?? 0);

    /// <summary>This text and one more token.</summary>
    public CtcPrefix Child(int token)
    {
        foreach (CtcPrefix child in _children)
        {
            if (child.Token == token)
            {
                return child;
            }
        }

        CtcPrefix added = new(this, token);
        _children.Add(added);
        return added;
    }

    /// <summary>Takes the node, and those above that were kept for its sake only, out of the tree.</summary>
    public void Drop()
    {
        for (CtcPrefix node = this; !node.Kept && node._children.Count == 0 && node.Parent is { } parent; node = parent)
        {
            parent._children.Remove(node);
        }
    }

    /// <summary>The frame is done.</summary>
    public void Advance()
    {
        Now = Next;
        Clear(ref Next);
    }

    /// <summary>Forgets a frame that did not bring it into the beam.</summary>
    public void Forget()
    {
        Clear(ref Now);
        Clear(ref Next);
    }

    public int[] Tokens()
    {
        List<int> tokens = [];
        for (CtcPrefix node = this; node.Parent is not null; node = node.Parent)
        {
            tokens.Add(node.Token);
        }

        tokens.Reverse();
        return [.. tokens];
    }

    private static void Clear(ref Sums sums) => sums = new Sums
    {
        Blank = double.NegativeInfinity,
        Label = double.NegativeInfinity,
        BestBlank = double.NegativeInfinity,
        BestLabel = double.NegativeInfinity,
    };

    /// <summary>Probabilities of one text.</summary>
    public struct Sums
    {
        public double Blank;
        public double Label;
        public double BestBlank;
        public double BestLabel;
        public TokenFrames? BlankFrames;
        public TokenFrames? LabelFrames;

        public readonly double Total => Add(Blank, Label);

        /// <summary>Alignments that go on with a blank.</summary>
        public void AddBlank(in Sums from, double log)
        {
            Blank = Add(Blank, from.Total + log);
            bool label = from.BestLabel > from.BestBlank;
            double best = (label ? from.BestLabel : from.BestBlank) + log;
            if (best > BestBlank)
            {
                (BestBlank, BlankFrames) = (best, label ? from.LabelFrames : from.BlankFrames);
            }
        }

        /// <summary>Alignments that stay in the last token.</summary>
        public void Stay(in Sums from, double log)
        {
            Label = Add(Label, from.Label + log);
            if (from.BestLabel + log > BestLabel)
            {
                (BestLabel, LabelFrames) = (from.BestLabel + log, from.LabelFrames);
            }
        }

        /// <summary>Alignments of the text before that now begin a token; if it repeats the last one, only after a blank.</summary>
        public void Begin(in Sums from, bool repeats, int frame, double log)
        {
            Label = Add(Label, (repeats ? from.Blank : from.Total) + log);
            bool label = !repeats && from.BestLabel > from.BestBlank;
            double best = (label ? from.BestLabel : from.BestBlank) + log;
            if (best > BestLabel)
            {
                (BestLabel, LabelFrames) = (best, new TokenFrames(frame, label ? from.LabelFrames : from.BlankFrames));
            }
        }

        private static double Add(double a, double b)
        {
            (double high, double low) = a > b ? (a, b) : (b, a);
            return double.IsNegativeInfinity(low) ? high : high + Math.Log(1 + Math.Exp(low - high));
        }
    }
}
