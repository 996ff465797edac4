using System.Globalization;
using System.Text;
using LinearCald.Data.Tokenizers.Unicode;

namespace LinearCald.Data.Speech.Text;

/// <summary>Latin text in ASCII: letters lose their accents, typographic signs become plain ones, letters without a decomposition are spelt out.</summary>
internal static class AsciiText
{
    private static readonly Dictionary<int, string> Spelt = new()
    {
        ['ß'] = "ss",
        ['æ'] = "ae",
        ['Æ'] = "AE",
        ['œ'] = "oe",
        ['Œ'] = "OE",
        ['ø'] = "o",
        ['Ø'] = "O",
        ['đ'] = "d",
        ['Đ'] = "D",
        ['ð'] = "d",
        ['Ð'] = "D",
        ['þ'] = "th",
        ['Þ'] = "Th",
        ['ł'] = "l",
        ['Ł'] = "L",
        ['ħ'] = "h",
        ['Ħ'] = "H",
        ['ı'] = "i",
        [0x2018] = "'",
        [0x2019] = "'",
        [0x02BC] = "'",
        [0x201C] = "\"",
        [0x201D] = "\"",
        [0x2010] = "-",
        [0x2011] = "-",
        [0x2012] = "-",
        [0x2013] = "-",
        [0x2014] = "-",
        [0x2212] = "-",
        [0x2044] = "/",
    };

    /// <summary>The text in ASCII; characters of other scripts stay as they are, so that a vocabulary can report them.</summary>
    public static string Of(string text)
    {
        if (Ascii.IsValid(text))
        {
            return text;
        }

        StringBuilder result = new(text.Length);
        foreach (Rune character in UnicodeNormalization.Normalize(text, UnicodeForm.Nfkd).EnumerateRunes())
        {
            if (Spelt.TryGetValue(character.Value, out string? spelt))
            {
                result.Append(spelt);
            }
            else if (Rune.GetUnicodeCategory(character) != UnicodeCategory.NonSpacingMark)
            {
                result.Append(character);
            }
        }

        return result.ToString();
    }
}
