using System.Text.RegularExpressions;

namespace LinearCald.Data.Tokenizers.Files;

/// <summary>
/// Regular expressions out of a tokenizer file: compiled with a time limit, since the file is not trusted. Characters beyond the basic
/// plane are two units to .NET and belong to no letter class; a match is widened so as never to cut one in half.
/// </summary>
internal static class TokenizerRegex
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <exception cref="CaldException">.NET does not accept the pattern.</exception>
    public static Regex Compile(string pattern, string where)
    {
        try
        {
            return new Regex(pattern, RegexOptions.CultureInvariant, Limit);
        }
        catch (ArgumentException e)
        {
            throw new CaldException($"{where}: the regular expression {pattern} is not supported ({e.Message})", e);
        }
    }

    /// <summary>Start and length of each match, in order, not overlapping.</summary>
    public static List<(int Start, int Length)> Matches(Regex pattern, string text)
    {
        List<(int, int)> result = [];
        int done = 0;
        try
        {
            for (Match match = pattern.Match(text); match.Success; match = match.NextMatch())
            {
                int start = Math.Max(done, OnBoundary(text, match.Index, -1));
                int end = OnBoundary(text, match.Index + match.Length, 1);
                if (end > start)
                {
                    result.Add((start, end - start));
                    done = end;
                }
            }
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new CaldException(
                $"the tokenizer's regular expression {pattern} took more than {Limit.TotalSeconds:0} s on a text of {text.Length} characters; cut the text into shorter documents", e);
        }

        return result;
    }

    private static int OnBoundary(string text, int index, int step) =>
        index > 0 && index < text.Length && char.IsSurrogatePair(text[index - 1], text[index]) ? index + step : index;
}
