using System.Text.RegularExpressions;
using LinearCald.Data.Tokenizers.Files;

namespace LinearCald.Data.Tokenizers.Normalizers;

/// <summary>Replaces every match of a pattern by a fixed text, which aligns with the whole match.</summary>
/// <param name="pattern">What to look for.</param>
/// <param name="content">What to put there, literally.</param>
internal sealed class ReplaceNormalizer(Regex pattern, string content) : Normalizer
{
    public override NormalizedText Normalize(NormalizedText text)
    {
        NormalizedTextBuilder? builder = null;
        int done = 0;
        foreach ((int start, int length) in TokenizerRegex.Matches(pattern, text.Text))
        {
            if (length == 0)
            {
                continue;
            }

            builder ??= new NormalizedTextBuilder(text);
            Copy(text, builder, done, start);
            builder.Append(content, start, length);
            done = start + length;
        }

        if (builder is null)
        {
            return text;
        }

        Copy(text, builder, done, text.Text.Length);
        return builder.Build();
    }

    private static void Copy(NormalizedText text, NormalizedTextBuilder builder, int start, int end)
    {
        for (int i = start, units; i < end; i += units)
        {
            builder.Append(Unicode.CharClasses.CodePointAt(text.Text, i, out units), i, units);
        }
    }
}

/// <summary>Puts a fixed text in front of every non-empty text; it aligns with the first character.</summary>
/// <param name="prefix">What to put there.</param>
internal sealed class PrependNormalizer(string prefix) : Normalizer
{
    public override NormalizedText Normalize(NormalizedText text)
    {
        if (text.Text.Length == 0)
        {
            return text;
        }

        NormalizedTextBuilder builder = new(text);
        Unicode.CharClasses.CodePointAt(text.Text, 0, out int firstUnits);
        builder.Append(prefix, 0, firstUnits);
        for (int i = 0, units; i < text.Text.Length; i += units)
        {
            builder.Append(Unicode.CharClasses.CodePointAt(text.Text, i, out units), i, units);
        }

        return builder.Build();
    }
}

/// <summary>Cuts white space off the ends.</summary>
/// <param name="left">At the beginning.</param>
/// <param name="right">At the end.</param>
internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    public override NormalizedText Normalize(NormalizedText text)
    {
        ReadOnlySpan<char> span = text.Text;
        int start = left ? span.Length - span.TrimStart().Length : 0;
        int end = right ? Math.Max(start, span.TrimEnd().Length) : span.Length;
        return text.Slice(start, end - start);
    }
}
