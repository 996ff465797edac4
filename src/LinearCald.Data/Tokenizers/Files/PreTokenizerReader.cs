using LinearCald.Data.Tokenizers.PreTokenizers;

namespace LinearCald.Data.Tokenizers.Files;

/// <summary>Reads the <c>pre_tokenizer</c> of a tokenizer.json.</summary>
internal static class PreTokenizerReader
{
    private const string Supported = "ByteLevel, BertPreTokenizer, Whitespace, WhitespaceSplit, Split, Punctuation, Digits and Sequence";

    public static PreTokenizer? Read(JsonField? field) => field is { } present ? ReadOne(present) : null;

    /// <summary>Whether words reach the model as bytes: the pre-tokenizer is ByteLevel, or a sequence that ends in it.</summary>
    /// <exception cref="CaldException">ByteLevel anywhere but at the end.</exception>
    public static bool EndsInByteLevel(JsonField? field)
    {
        if (field is not { } present)
        {
            return false;
        }

        string type = present.Required("type").Text();
        if (type != "Sequence")
        {
            return type == "ByteLevel";
        }

        bool[] parts = [.. present.Required("pretokenizers").Items().Select(part => EndsInByteLevel(part))];
        return !parts.SkipLast(1).Contains(true)
            ? parts.Length > 0 && parts[^1]
            : throw present.Error("the ByteLevel pre-tokenizer is supported only as the last of a sequence");
    }

    private static PreTokenizer ReadOne(JsonField field)
    {
        string type = field.Required("type").Text();
        return type switch
        {
            "ByteLevel" => new ByteLevelPreTokenizer(field.Flag("add_prefix_space") ?? true, field.Flag("use_regex") ?? true),
            "BertPreTokenizer" => new BertPreTokenizer(),
            "Whitespace" => new WhitespacePreTokenizer(splitSymbols: true),
            "WhitespaceSplit" => new WhitespacePreTokenizer(splitSymbols: false),
            "Split" => new SplitPreTokenizer(NormalizerReader.ReadPattern(field.Required("pattern")), ReadBehavior(field), field.Flag("invert") ?? false),
            "Punctuation" => new PunctuationPreTokenizer(ReadBehavior(field)),
            "Digits" => new DigitsPreTokenizer(field.Flag("individual_digits") ?? false),
            "Sequence" => new PreTokenizerSequence([.. field.Required("pretokenizers").Items().Select(ReadOne)]),
            _ => throw field.Error($"the pre-tokenizer '{type}' is not supported; supported are {Supported}"),
        };
    }

    private static SplitBehavior ReadBehavior(JsonField field)
    {
        string name = field.Text("behavior") ?? nameof(SplitBehavior.Isolated);
        return Enum.TryParse(name, ignoreCase: false, out SplitBehavior behavior) && Enum.IsDefined(behavior)
            ? behavior
            : throw field.Error($"the behavior '{name}' is not one of {string.Join(", ", Enum.GetNames<SplitBehavior>())}");
    }
}
