using LinearCald.Data.Tokenizers.Unicode;

namespace LinearCald.Data.Tokenizers.Normalizers;

/// <summary>Drops every character of the given classes: all marks for the <c>StripAccents</c> normalizer, non-spacing marks within BERT's.</summary>
/// <param name="dropped">A character with any of these classes goes.</param>
internal sealed class MarkStripper(CharClass dropped) : Normalizer
{
    public override NormalizedText Normalize(NormalizedText text)
    {
        bool any = false;
        for (int i = 0, units; i < text.Text.Length && !any; i += units)
        {
            any = (CharClasses.Of(CharClasses.CodePointAt(text.Text, i, out units)) & dropped) != 0;
        }

        if (!any)
        {
            return text;
        }

        NormalizedTextBuilder builder = new(text);
        for (int i = 0, units; i < text.Text.Length; i += units)
        {
            int code = CharClasses.CodePointAt(text.Text, i, out units);
            if ((CharClasses.Of(code) & dropped) == 0)
            {
                builder.Append(code, i, units);
            }
        }

        return builder.Build();
    }
}
