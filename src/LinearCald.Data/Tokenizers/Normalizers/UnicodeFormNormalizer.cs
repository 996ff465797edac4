using LinearCald.Data.Tokenizers.Unicode;

namespace LinearCald.Data.Tokenizers.Normalizers;

/// <summary>NFC, NFD, NFKC or NFKD.</summary>
/// <param name="form">The form to bring texts into.</param>
internal sealed class UnicodeFormNormalizer(UnicodeForm form) : Normalizer
{
    public override NormalizedText Normalize(NormalizedText text) => UnicodeNormalization.Normalize(text, form);
}
