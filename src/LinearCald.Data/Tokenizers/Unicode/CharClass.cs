using System.Globalization;
using System.Text;

namespace LinearCald.Data.Tokenizers.Unicode;

/// <summary>What the tokenizers ask of a character; several may hold at once.</summary>
[Flags]
internal enum CharClass : byte
{
    None = 0,

    /// <summary>General category L*.</summary>
    Letter = 1,

    /// <summary>General category N*.</summary>
    Number = 2,

    /// <summary>The White_Space property, what <c>\s</c> matches.</summary>
    WhiteSpace = 4,

    /// <summary>General category P*, and every ASCII character that is neither letter, digit, space nor control, as BERT counts them.</summary>
    Punctuation = 8,

    /// <summary>Control, format and private use (Cc, Cf, Co). Unassigned code points are not among them.</summary>
    Other = 16,

    /// <summary>Non-spacing marks (Mn): the accents that BERT strips.</summary>
    NonSpacingMark = 32,

    /// <summary>All marks (M*).</summary>
    Mark = 64,

    /// <summary>What <c>\w</c> matches: letters, marks, decimal and letter numbers, connector punctuation.</summary>
    Word = 128,
}

/// <summary>Classes of code points from .NET's own Unicode data, which invariant globalisation does not switch off.</summary>
internal static class CharClasses
{
    private static readonly CharClass[] BasicPlane = BuildBasicPlane();

    /// <param name="codePoint">0 … 0x10FFFF; a surrogate has no class.</param>
    public static CharClass Of(int codePoint) => codePoint < 0x10000 ? BasicPlane[codePoint] : Compute(codePoint);

    /// <summary>The code point at <paramref name="index"/> and the number of UTF-16 units it takes. A lone surrogate reads as U+FFFD.</summary>
    public static int CodePointAt(ReadOnlySpan<char> text, int index, out int units)
    {
        char first = text[index];
        if (!char.IsSurrogate(first))
        {
            units = 1;
            return first;
        }

        if (index + 1 < text.Length && char.IsSurrogatePair(first, text[index + 1]))
        {
            units = 2;
            return char.ConvertToUtf32(first, text[index + 1]);
        }

        units = 1;
        return Rune.ReplacementChar.Value;
    }

    /// <summary>The ideograph blocks around which BERT puts spaces (kana and Hangul are not among them).</summary>
    public static bool IsCjkIdeograph(int codePoint) =>
        codePoint is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F)
            or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);

    private static CharClass[] BuildBasicPlane()
    {
        CharClass[] classes = new CharClass[0x10000];
        for (int i = 0; i < classes.Length; i++)
        {
            classes[i] = Compute(i);
        }

        return classes;
    }

    private static CharClass Compute(int codePoint)
    {
        CharClass result = CharUnicodeInfo.GetUnicodeCategory(codePoint) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => CharClass.Letter | CharClass.Word,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber => CharClass.Number | CharClass.Word,
            UnicodeCategory.OtherNumber => CharClass.Number,
            UnicodeCategory.NonSpacingMark => CharClass.NonSpacingMark | CharClass.Mark | CharClass.Word,
            UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => CharClass.Mark | CharClass.Word,
            UnicodeCategory.ConnectorPunctuation => CharClass.Punctuation | CharClass.Word,
            UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation or UnicodeCategory.ClosePunctuation
                or UnicodeCategory.InitialQuotePunctuation or UnicodeCategory.FinalQuotePunctuation
                or UnicodeCategory.OtherPunctuation => CharClass.Punctuation,
            UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse => CharClass.Other,
            _ => CharClass.None,
        };
        if (codePoint < 0x80 && result == CharClass.None && codePoint > ' ')
        {
            result = CharClass.Punctuation; // $ + < = > ^ ` | ~ are symbols to Unicode
        }

        return codePoint < 0x10000 && char.IsWhiteSpace((char)codePoint) ? result | CharClass.WhiteSpace : result;
    }
}
