namespace LinearCald.Data.Tokenizers;

/// <summary>The last stage: blanks cut off offsets, special tokens put around the texts, token types set. All of HuggingFace's post-processors come down to this.</summary>
internal sealed class PostProcessor
{
    /// <summary>No special tokens; the first text has type 0, the second type 1.</summary>
    public static readonly IReadOnlyList<TemplatePiece> PlainPair = [new TemplatePiece(0, [], 0), new TemplatePiece(1, [], 1)];

    /// <summary>How a text alone is laid out.</summary>
    public IReadOnlyList<TemplatePiece> Single { get; init; } = [PlainPair[0]];

    /// <summary>How a pair is laid out.</summary>
    public IReadOnlyList<TemplatePiece> Pair { get; init; } = PlainPair;

    /// <summary>One entry for each time blanks are to be cut off offsets (byte-level vocabularies); true: a blank in front of the text was added and is not cut.</summary>
    public IReadOnlyList<bool> TrimWithPrefixSpace { get; init; } = [];

    /// <summary>How a text, or a pair, is laid out.</summary>
    public IReadOnlyList<TemplatePiece> Layout(bool pair) => pair ? Pair : Single;

    /// <summary>Special tokens that a single text or a pair gets.</summary>
    public int SpecialCount(bool pair) => Layout(pair).Sum(piece => piece.SpecialIds.Length);

    /// <summary>Cuts the blanks that a token's text begins and ends with off its range, keeping the range within itself.</summary>
    /// <param name="tokens">Tokens with ranges in code points.</param>
    /// <param name="blanks">Number of blanks before and after in the token's text, by position.</param>
    public void TrimOffsets(TokenBuffer tokens, Func<int, (int Before, int After)> blanks)
    {
        Span<TokenOffset> offsets = tokens.Offsets;
        foreach (bool prefixSpace in TrimWithPrefixSpace)
        {
            for (int i = 0; i < offsets.Length; i++)
            {
                (int before, int after) = blanks(i);
                (int start, int end) = (offsets[i].Start, offsets[i].End);
                if (before > 0)
                {
                    int cut = prefixSpace && (i == 0 || start == 0) ? before - 1 : before;
                    start = Math.Min(start + cut, end);
                }

                if (after > 0 && end >= after)
                {
                    end = Math.Max(end - after, start);
                }

                offsets[i] = new TokenOffset(start, end);
            }
        }
    }

    /// <summary>
    /// HuggingFace's longest-first truncation: the longer text gives way until it is as short as the shorter one, then both share what
    /// there is, the second taking an odd token. (When the shorter alone is too long, both are cut to half, likewise.)
    /// </summary>
    /// <returns>How many tokens were taken away.</returns>
    public static int Truncate(TokenBuffer first, TokenBuffer? second, int room)
    {
        if (second is null)
        {
            return first.Truncate(room);
        }

        if (first.Count + second.Count <= room)
        {
            return 0;
        }

        bool swap = first.Count > second.Count;
        int shorter = Math.Min(first.Count, second.Count);
        int longer = shorter > room ? shorter : Math.Max(shorter, room - shorter);
        if (shorter + longer > room)
        {
            shorter = room / 2;
            longer = shorter + room % 2;
        }

        return first.Truncate(swap ? longer : shorter) + second.Truncate(swap ? shorter : longer);
    }
}

/// <summary>A part of a layout: one of the texts, or special tokens.</summary>
/// <param name="Text">0 or 1 for the first or second text; −1 for special tokens.</param>
/// <param name="SpecialIds">Ids of the special tokens; empty for a text.</param>
/// <param name="TypeId">Token type of the part.</param>
internal sealed record TemplatePiece(int Text, int[] SpecialIds, int TypeId);
