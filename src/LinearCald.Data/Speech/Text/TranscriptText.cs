using System.Text;
using LinearCald.Data.Tokenizers.Unicode;

namespace LinearCald.Data.Speech.Text;

/// <summary>Applies a <see cref="TranscriptRule"/>.</summary>
public static class TranscriptText
{
    /// <summary>What marks a passage that could not be understood.</summary>
    public const string UnknownMark = "[UNK]";

    /// <summary>The normalised transcript.</summary>
    public static string Apply(TranscriptRule rule, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return rule switch
        {
            TranscriptRule.AsWritten => text.Trim(),
            TranscriptRule.Tidy => Tidy(text),
            _ => Letters(text),
        };
    }

    /// <summary>Runs of white space become one space, and none is left at the ends.</summary>
    internal static string Collapse(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static string Tidy(string text) =>
        Collapse(text.Replace(UnknownMark, "", StringComparison.Ordinal).Replace('-', ' ')).Replace(" '", "'", StringComparison.Ordinal);

    private static string Letters(string text)
    {
        StringBuilder kept = new(text.Length);
        foreach (Rune character in UnicodeNormalization.Normalize(text, UnicodeForm.Nfc).EnumerateRunes())
        {
            bool stays = Rune.IsLetterOrDigit(character) || Rune.GetUnicodeCategory(character) is System.Globalization.UnicodeCategory.NonSpacingMark;
            if (stays)
            {
                kept.Append(Rune.ToLowerInvariant(character));
            }
            else
            {
                kept.Append(character.Value is '\'' or 0x2019 or 0x02BC ? '\'' : ' ');
            }
        }

        // An apostrophe that touches no letter is a quotation mark; so is one on both sides of a word ('no').
        IEnumerable<string> words = kept.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(word => word.Length > 1 && word[0] == '\'' && word[^1] == '\'' ? word.Trim('\'') : word)
            .Where(word => word.AsSpan().ContainsAnyExcept('\''));
        return string.Join(' ', words);
    }
}
