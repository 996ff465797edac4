using System.Text.RegularExpressions;
using LinearCald.Data.Tokenizers.Files;
using LinearCald.Data.Tokenizers.Unicode;

namespace LinearCald.Data.Tokenizers.PreTokenizers;

/// <summary>What becomes of the stretches that match a delimiter.</summary>
internal enum SplitBehavior
{
    /// <summary>They go.</summary>
    Removed,

    /// <summary>Each is a piece.</summary>
    Isolated,

    /// <summary>Each joins the end of what stands before it.</summary>
    MergedWithPrevious,

    /// <summary>Each joins the beginning of what follows.</summary>
    MergedWithNext,

    /// <summary>Neighbouring ones join to one piece.</summary>
    Contiguous,
}

/// <summary>Cuts at the matches of a delimiter.</summary>
/// <param name="behavior">What becomes of the delimiters.</param>
/// <param name="invert">The matches are the words, what lies between them the delimiters.</param>
internal abstract class DelimiterPreTokenizer(SplitBehavior behavior, bool invert) : PreTokenizer
{
    /// <summary>Matches of the delimiter as (start, length) within the span, in order.</summary>
    protected abstract List<(int Start, int Length)> Matches(ReadOnlySpan<char> text);

    public override void Split(Piece piece, List<Piece> output)
    {
        bool pending = false; // a piece [open, …) that later stretches may still join
        bool lastDelimiter = false;
        int open = 0;
        foreach ((int start, int end, bool delimiter) in Stretches(piece.Length, Matches(piece.Span)))
        {
            bool joins = pending && behavior switch
            {
                SplitBehavior.MergedWithPrevious => delimiter && !lastDelimiter,
                SplitBehavior.MergedWithNext => !delimiter && lastDelimiter,
                SplitBehavior.Contiguous => delimiter == lastDelimiter,
                _ => false,
            };
            if (pending && !joins)
            {
                Emit(piece, open, start, output);
            }

            open = joins ? open : start;
            pending = !(delimiter && behavior == SplitBehavior.Removed);
            lastDelimiter = delimiter;
            if (!pending)
            {
                open = end;
            }
        }

        if (pending)
        {
            Emit(piece, open, piece.Length, output);
        }
    }

    private IEnumerable<(int Start, int End, bool Delimiter)> Stretches(int length, List<(int Start, int Length)> matches)
    {
        int done = 0;
        foreach ((int start, int matched) in matches)
        {
            if (start > done)
            {
                yield return (done, start, invert);
            }

            yield return (start, start + matched, !invert);
            done = start + matched;
        }

        if (length > done)
        {
            yield return (done, length, invert);
        }
    }
}

/// <summary>HuggingFace's <c>Split</c>.</summary>
/// <param name="pattern">The delimiter.</param>
/// <param name="behavior">What becomes of the delimiters.</param>
/// <param name="invert">The matches are the words.</param>
internal sealed class SplitPreTokenizer(Regex pattern, SplitBehavior behavior, bool invert) : DelimiterPreTokenizer(behavior, invert)
{
    protected override List<(int Start, int Length)> Matches(ReadOnlySpan<char> text) => TokenizerRegex.Matches(pattern, text.ToString());
}

/// <summary>Every punctuation character is a delimiter.</summary>
/// <param name="behavior">What becomes of them.</param>
internal sealed class PunctuationPreTokenizer(SplitBehavior behavior) : DelimiterPreTokenizer(behavior, invert: false)
{
    protected override List<(int Start, int Length)> Matches(ReadOnlySpan<char> text)
    {
        List<(int, int)> result = [];
        for (int i = 0, units; i < text.Length; i += units)
        {
            if ((CharClasses.Of(CharClasses.CodePointAt(text, i, out units)) & CharClass.Punctuation) != 0)
            {
                result.Add((i, units));
            }
        }

        return result;
    }
}
