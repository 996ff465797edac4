using LinearCald.Data.Tokenizers.Unicode;

namespace LinearCald.Data.Tokenizers.PreTokenizers;

/// <summary>
/// The word pattern of GPT-2, RoBERTa and Pythia, by hand instead of by a regular expression:
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>, with characters beyond the basic plane in their true classes.
/// </summary>
internal static class Gpt2Words
{
    private const CharClass Kinds = CharClass.Letter | CharClass.Number | CharClass.WhiteSpace;

    /// <summary>One past the end of the match that begins at <paramref name="start"/>; every text is matched without gaps.</summary>
    public static int End(ReadOnlySpan<char> text, int start)
    {
        char first = text[start];
        if (first == '\'')
        {
            int contraction = Contraction(text[(start + 1)..]);
            if (contraction > 0)
            {
                return start + 1 + contraction;
            }
        }

        CharClass kind = KindAt(text, start, out int units);
        if ((kind & CharClass.WhiteSpace) == 0)
        {
            return RunEnd(text, start + units, kind);
        }

        if (first == ' ' && start + 1 < text.Length)
        {
            CharClass following = KindAt(text, start + 1, out int followingUnits);
            if ((following & CharClass.WhiteSpace) == 0)
            {
                return RunEnd(text, start + 1 + followingUnits, following);
            }
        }

        int end = RunEnd(text, start + 1, CharClass.WhiteSpace);
        return end == text.Length || end == start + 1 ? end : end - 1; // the last blank belongs to the word that follows
    }

    private static int Contraction(ReadOnlySpan<char> rest)
    {
        if (rest.Length == 0)
        {
            return 0;
        }

        char second = rest.Length > 1 ? rest[1] : '\0';
        return rest[0] switch
        {
            's' or 't' or 'm' or 'd' => 1,
            'r' or 'v' when second == 'e' => 2,
            'l' when second == 'l' => 2,
            _ => 0,
        };
    }

    private static int RunEnd(ReadOnlySpan<char> text, int index, CharClass kind)
    {
        while (index < text.Length && KindAt(text, index, out int units) == kind)
        {
            index += units;
        }

        return index;
    }

    private static CharClass KindAt(ReadOnlySpan<char> text, int index, out int units) =>
        CharClasses.Of(CharClasses.CodePointAt(text, index, out units)) & Kinds;
}
