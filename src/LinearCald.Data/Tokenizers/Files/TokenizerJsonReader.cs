using LinearCald.Data.Tokenizers.Models;

namespace LinearCald.Data.Tokenizers.Files;

/// <summary>Reads HuggingFace's <c>tokenizer.json</c>. What it describes but we do not have is refused by name, never passed over.</summary>
internal static class TokenizerJsonReader
{
    /// <param name="file">Path, for messages.</param>
    /// <param name="bytes">Content.</param>
    /// <param name="configs">tokenizer_config.json and special_tokens_map.json, as far as they exist.</param>
    public static TokenizerDefinition Read(string file, byte[] bytes, IReadOnlyList<JsonField> configs)
    {
        JsonField root = JsonField.Parse(file, bytes);
        bool byteLevel = PreTokenizerReader.EndsInByteLevel(root.Optional("pre_tokenizer"));
        TokenModel model = ReadModel(root.Required("model"), byteLevel);
        List<AddedToken> added = [];
        foreach (JsonField token in root.Optional("added_tokens")?.Items() ?? [])
        {
            added.Add(ReadAddedToken(token, token.Required("id").Integer()));
        }

        Dictionary<string, int> addedIds = added.GroupBy(token => token.Content).ToDictionary(group => group.Key, group => group.Last().Id);
        return new TokenizerDefinition
        {
            Where = file,
            Model = model,
            Normalizer = NormalizerReader.Read(root.Optional("normalizer")),
            PreTokenizer = PreTokenizerReader.Read(root.Optional("pre_tokenizer")),
            PostProcessor = PostProcessorReader.Read(root.Optional("post_processor")),
            Decoder = DecoderReader.Read(root.Optional("decoder")),
            AddedTokens = added,
            Special = SpecialTokenReader.Resolve(configs, IdOf),
        };

        int? IdOf(string token) => addedIds.TryGetValue(token, out int id) || model.Vocabulary.TryGetId(token, out id) ? id : null;
    }

    /// <summary>An entry of <c>added_tokens</c>, or of <c>added_tokens_decoder</c> where the id is the key.</summary>
    public static AddedToken ReadAddedToken(JsonField field, int id)
    {
        if (id is < 0 or > Vocabulary.MaximumId)
        {
            throw field.Error($"id {id} must lie between 0 and {Vocabulary.MaximumId}");
        }

        bool special = field.Flag("special") ?? false;
        return new AddedToken(id, field.Required("content").Text())
        {
            Special = special,
            Normalized = field.Flag("normalized") ?? !special,
            StripLeft = field.Flag("lstrip") ?? false,
            StripRight = field.Flag("rstrip") ?? false,
            SingleWord = field.Flag("single_word") ?? false,
        };
    }

    /// <summary>The <c>vocab</c> object: token to id.</summary>
    public static Vocabulary ReadVocabulary(JsonField field)
    {
        List<KeyValuePair<string, int>> entries = [];
        foreach ((string token, JsonField id) in field.Members())
        {
            entries.Add(new(token, id.Integer()));
        }

        return new Vocabulary(entries, field.Where);
    }

    private static TokenModel ReadModel(JsonField model, bool byteLevel)
    {
        string type = model.Text("type")
            ?? (model.Optional("merges") is not null ? "BPE" : model.Optional("max_input_chars_per_word") is not null ? "WordPiece" : "(none given)");
        return type switch
        {
            "BPE" => ReadBytePairs(model, byteLevel),
            "WordPiece" when byteLevel => throw model.Error("WordPiece together with the ByteLevel pre-tokenizer is not supported"),
            "WordPiece" => new WordPieceModel(
                ReadVocabulary(model.Required("vocab")),
                model.Text("unk_token") ?? "[UNK]",
                model.Text("continuing_subword_prefix") ?? "##",
                model.Optional("max_input_chars_per_word")?.Integer() ?? 100,
                model.Where),
            _ => throw model.Error($"the model type '{type}' is not supported; supported are BPE (as in RoBERTa, GPT-2 and Pythia) and WordPiece (as in BERT)"),
        };
    }

    private static BytePairModel ReadBytePairs(JsonField model, bool byteLevel)
    {
        foreach (string name in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (model.Text(name) is { Length: > 0 } affix)
            {
                throw model.Error($"{name} '{affix}' is not supported; only BPE without it is");
            }
        }

        if (model.Flag("byte_fallback") == true)
        {
            throw model.Error("byte_fallback is not supported; only BPE without it is");
        }

        JsonField mergesField = model.Required("merges");
        List<(string, string)> merges = [];
        foreach (JsonField merge in mergesField.Items())
        {
            if (!merge.IsText)
            {
                string[] parts = [.. merge.Items().Select(part => part.Text())];
                merges.Add(parts.Length == 2 ? (parts[0], parts[1]) : throw merge.Error("a merge is two tokens"));
            }
            else if (!(merges.Count == 0 && merge.Text().StartsWith("#version", StringComparison.Ordinal)))
            {
                merges.Add(SplitMerge(merge.Text(), merge.Where));
            }
        }

        Vocabulary vocabulary = ReadVocabulary(model.Required("vocab"));
        BytePairOptions options = new()
        {
            ByteLevel = byteLevel,
            UnknownToken = model.Text("unk_token"),
            FuseUnknown = model.Flag("fuse_unk") ?? false,
            IgnoreMerges = model.Flag("ignore_merges") ?? false,
        };
        return new BytePairModel(vocabulary, new MergeTable(merges, vocabulary, mergesField.Where), options, model.Where);
    }

    /// <summary>A merge written as two tokens with a blank between.</summary>
    public static (string Left, string Right) SplitMerge(string merge, string where)
    {
        int blank = merge.IndexOf(' ', StringComparison.Ordinal);
        return blank > 0 && blank == merge.LastIndexOf(' ') && blank < merge.Length - 1
            ? (merge[..blank], merge[(blank + 1)..])
            : throw new CaldException($"{where}: '{merge}' is not a merge; expected two tokens with one blank between");
    }
}
