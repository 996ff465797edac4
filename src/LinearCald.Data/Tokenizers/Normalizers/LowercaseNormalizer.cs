using System.Text;
using LinearCald.Data.Tokenizers.Unicode;

namespace LinearCald.Data.Tokenizers.Normalizers;

/// <summary>Lower case character by character, without regard to language or place in the word (Σ becomes σ even at its end).</summary>
internal sealed class LowercaseNormalizer : Normalizer
{
    private const int CapitalIWithDot = 0x130;

    public override NormalizedText Normalize(NormalizedText text)
    {
        if (!text.Text.AsSpan().ContainsAnyExceptInRange('\0', '@'))
        {
            return text;
        }

        NormalizedTextBuilder builder = new(text);
        for (int i = 0, units; i < text.Text.Length; i += units)
        {
            AppendLower(builder, CharClasses.CodePointAt(text.Text, i, out units), i, units);
        }

        return builder.Build();
    }

    /// <summary>Appends the lower case of one code point. U+0130 is the only one whose lower case is two code points.</summary>
    public static void AppendLower(NormalizedTextBuilder builder, int codePoint, int sourceIndex, int sourceUnits)
    {
        if (codePoint == CapitalIWithDot)
        {
            builder.Append('i', sourceIndex, sourceUnits);
            builder.Append(0x307, sourceIndex, sourceUnits);
            return;
        }

        builder.Append(Lower(codePoint), sourceIndex, sourceUnits);
    }

    private static int Lower(int codePoint) =>
        codePoint < 0x80
            ? (uint)(codePoint - 'A') <= 'Z' - 'A' ? codePoint | 0x20 : codePoint
            : Rune.ToLowerInvariant(new Rune(codePoint)).Value;
}
