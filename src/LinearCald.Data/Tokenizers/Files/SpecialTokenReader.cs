namespace LinearCald.Data.Tokenizers.Files;

/// <summary>Decides which tokens have a special rôle: what the configuration files say, else the customary names.</summary>
internal static class SpecialTokenReader
{
    private const string EndOfText = "<|endoftext|>";

    /// <param name="configs">tokenizer_config.json and special_tokens_map.json, as far as they exist.</param>
    /// <param name="idOf">The id of a token, null if there is none.</param>
    public static SpecialTokens Resolve(IReadOnlyList<JsonField> configs, Func<string, int?> idOf)
    {
        return new SpecialTokens
        {
            Pad = Find(["pad_token"], ["<pad>", "[PAD]", "<|padding|>", EndOfText]),
            Bos = Find(["cls_token", "bos_token"], ["<s>", "[CLS]", EndOfText]),
            Eos = Find(["sep_token", "eos_token"], ["</s>", "[SEP]", EndOfText]),
            Unknown = Find(["unk_token"], ["<unk>", "[UNK]"]),
            Mask = Find(["mask_token"], ["<mask>", "[MASK]"]),
        };

        int? Find(string[] keys, string[] names)
        {
            IEnumerable<string> configured = keys.SelectMany(key => configs.Select(config => Content(config.Optional(key)))).OfType<string>();
            return configured.Concat(names).Select(idOf).FirstOrDefault(id => id is not null);
        }
    }

    /// <summary>A special token is written as its text or as an object with a <c>content</c>.</summary>
    private static string? Content(JsonField? value) =>
        value is not { } field ? null : field.IsText ? field.Text() : field.IsObject ? field.Text("content") : null;
}
