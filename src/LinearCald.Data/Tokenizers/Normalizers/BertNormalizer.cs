using LinearCald.Data.Tokenizers.Unicode;

namespace LinearCald.Data.Tokenizers.Normalizers;

/// <summary>
/// BERT's basic clean-up, in this order: controls removed and every white space made a blank, blanks around CJK ideographs,
/// accents stripped (canonical decomposition without its non-spacing marks), lower case.
/// </summary>
internal sealed class BertNormalizer : Normalizer
{
    private static readonly UnicodeFormNormalizer Decomposition = new(UnicodeForm.Nfd);
    private static readonly MarkStripper Stripper = new(CharClass.NonSpacingMark);
    private static readonly LowercaseNormalizer Lower = new();

    private readonly bool _cleanText;
    private readonly bool _spaceIdeographs;
    private readonly bool _stripAccents;
    private readonly bool _lowercase;

    /// <param name="cleanText">Drop controls, unify white space.</param>
    /// <param name="spaceIdeographs">Put blanks around CJK ideographs, so that each is a word.</param>
    /// <param name="stripAccents">Null: as <paramref name="lowercase"/>.</param>
    /// <param name="lowercase">An uncased vocabulary.</param>
    public BertNormalizer(bool cleanText, bool spaceIdeographs, bool? stripAccents, bool lowercase)
    {
        _cleanText = cleanText;
        _spaceIdeographs = spaceIdeographs;
        _stripAccents = stripAccents ?? lowercase;
        _lowercase = lowercase;
    }

    public override NormalizedText Normalize(NormalizedText text)
    {
        if (_cleanText || _spaceIdeographs)
        {
            text = CleanAndSpace(text);
        }

        if (_stripAccents)
        {
            text = Stripper.Normalize(Decomposition.Normalize(text));
        }

        return _lowercase ? Lower.Normalize(text) : text;
    }

    private NormalizedText CleanAndSpace(NormalizedText text)
    {
        if (!text.Text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return text;
        }

        NormalizedTextBuilder builder = new(text);
        for (int i = 0, units; i < text.Text.Length; i += units)
        {
            int code = CharClasses.CodePointAt(text.Text, i, out units);
            if (_cleanText && IsDropped(code))
            {
                continue;
            }

            if (_cleanText && (CharClasses.Of(code) & CharClass.WhiteSpace) != 0)
            {
                code = ' ';
            }

            if (_spaceIdeographs && CharClasses.IsCjkIdeograph(code))
            {
                builder.Append(' ', i, units);
                builder.Append(code, i, units);
                code = ' ';
            }

            builder.Append(code, i, units);
        }

        return builder.Build();
    }

    /// <summary>Controls, format characters, private use, U+0000 and U+FFFD; tab and line breaks stay (as blanks).</summary>
    private static bool IsDropped(int code) =>
        code == 0xFFFD || ((CharClasses.Of(code) & CharClass.Other) != 0 && code is not ('\t' or '\n' or '\r'));
}
