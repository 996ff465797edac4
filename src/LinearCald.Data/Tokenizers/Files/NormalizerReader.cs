using System.Text.RegularExpressions;
using LinearCald.Data.Tokenizers.Normalizers;
using LinearCald.Data.Tokenizers.Unicode;

namespace LinearCald.Data.Tokenizers.Files;

/// <summary>Reads the <c>normalizer</c> of a tokenizer.json.</summary>
internal static class NormalizerReader
{
    private const string Supported = "BertNormalizer, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Replace, Prepend and Sequence";

    public static Normalizer? Read(JsonField? field) => field is { } present ? ReadOne(present) : null;

    /// <summary>A pattern of a <c>Replace</c> or <c>Split</c>: a literal text or a regular expression.</summary>
    public static Regex ReadPattern(JsonField pattern) =>
        pattern.Text("String") is { } literal ? TokenizerRegex.Compile(Regex.Escape(literal), pattern.Where)
        : pattern.Text("Regex") is { } regex ? TokenizerRegex.Compile(regex, pattern.Where)
        : throw pattern.Error("a pattern is {\"String\": …} or {\"Regex\": …}");

    private static Normalizer ReadOne(JsonField field)
    {
        string type = field.Required("type").Text();
        return type switch
        {
            "BertNormalizer" => new BertNormalizer(
                field.Flag("clean_text") ?? true, field.Flag("handle_chinese_chars") ?? true, field.Flag("strip_accents"), field.Flag("lowercase") ?? true),
            "NFC" => new UnicodeFormNormalizer(UnicodeForm.Nfc),
            "NFD" => new UnicodeFormNormalizer(UnicodeForm.Nfd),
            "NFKC" => new UnicodeFormNormalizer(UnicodeForm.Nfkc),
            "NFKD" => new UnicodeFormNormalizer(UnicodeForm.Nfkd),
            "Lowercase" => new LowercaseNormalizer(),
            "StripAccents" => new MarkStripper(CharClass.Mark),
            "Strip" => new StripNormalizer(field.Flag("strip_left") ?? true, field.Flag("strip_right") ?? true),
            "Replace" => new ReplaceNormalizer(ReadPattern(field.Required("pattern")), field.Required("content").Text()),
            "Prepend" => new PrependNormalizer(field.Required("prepend").Text()),
            "Sequence" => new NormalizerSequence([.. field.Required("normalizers").Items().Select(ReadOne)]),
            _ => throw field.Error($"the normalizer '{type}' is not supported; supported are {Supported}"),
        };
    }
}
