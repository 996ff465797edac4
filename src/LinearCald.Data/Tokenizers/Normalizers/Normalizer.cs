namespace LinearCald.Data.Tokenizers.Normalizers;

/// <summary>The first stage: text to text, keeping the alignment. Stateless and safe to share among threads.</summary>
internal abstract class Normalizer
{
    /// <summary>The changed text, or the same object when nothing changed.</summary>
    public abstract NormalizedText Normalize(NormalizedText text);
}

/// <summary>Several normalizers, one after the other.</summary>
/// <param name="parts">In order of application.</param>
internal sealed class NormalizerSequence(IReadOnlyList<Normalizer> parts) : Normalizer
{
    public override NormalizedText Normalize(NormalizedText text)
    {
        foreach (Normalizer part in parts)
        {
            text = part.Normalize(text);
        }

        return text;
    }
}
