namespace LinearCald.Data.Speech.Scoring;

/// <summary>Word and character errors of a transcript. Case and punctuation count: normalise both texts first.</summary>
public static class ErrorRates
{
    /// <summary>Errors in words, what white space separates.</summary>
    public static EditScore Words(string reference, string hypothesis)
    {
        (int[] a, int[] b) = Numbered(WordsOf(reference), WordsOf(hypothesis));
        return EditDistance.Score(a, b);
    }

    /// <summary>Errors in characters, the spaces between words included; white space at the ends does not count.</summary>
    public static EditScore Characters(string reference, string hypothesis)
    {
        (int[] a, int[] b) = Numbered(CharactersOf(reference), CharactersOf(hypothesis));
        return EditDistance.Score(a, b);
    }

    /// <summary>The words of a text.</summary>
    internal static string[] WordsOf(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>The characters of a text, by code point.</summary>
    internal static string[] CharactersOf(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return [.. text.Trim().EnumerateRunes().Select(character => character.ToString())];
    }

    /// <summary>Both with a number in the place of each unit.</summary>
    internal static (int[] Reference, int[] Hypothesis) Numbered(string[] reference, string[] hypothesis)
    {
        Dictionary<string, int> numbers = new(StringComparer.Ordinal);
        int[] Number(string[] units)
        {
            int[] result = new int[units.Length];
            for (int i = 0; i < units.Length; i++)
            {
                numbers.TryAdd(units[i], numbers.Count);
                result[i] = numbers[units[i]];
            }

            return result;
        }

        return (Number(reference), Number(hypothesis));
    }
}
