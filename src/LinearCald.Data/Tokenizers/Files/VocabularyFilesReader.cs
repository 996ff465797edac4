using System.Globalization;
using System.Text;
using LinearCald.Data.Tokenizers.Models;
using LinearCald.Data.Tokenizers.Normalizers;
using LinearCald.Data.Tokenizers.PreTokenizers;

namespace LinearCald.Data.Tokenizers.Files;

/// <summary>
/// Tokenizers from the older files that hold only a vocabulary; the stages around it are those of the family:
/// vocab.json and merges.txt of RoBERTa (recognised by <c>&lt;s&gt;</c> and <c>&lt;/s&gt;</c>) or GPT-2, vocab.txt of BERT.
/// </summary>
internal static class VocabularyFilesReader
{
    private static readonly string[] RobertaTokens = ["<s>", "<pad>", "</s>", "<unk>"];
    private static readonly string[] BertTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

    /// <summary>Byte-level BPE from vocab.json and merges.txt.</summary>
    public static TokenizerDefinition ReadBytePairs(string folder, byte[] vocabularyFile, byte[] mergesFile, IReadOnlyList<JsonField> configs)
    {
        Vocabulary vocabulary = TokenizerJsonReader.ReadVocabulary(JsonField.Parse(Path.Combine(folder, "vocab.json"), vocabularyFile));
        string mergesPath = Path.Combine(folder, "merges.txt");
        MergeTable merges = new(ReadMerges(mergesPath, mergesFile), vocabulary, mergesPath);
        bool prefixSpace = Flag(configs, "add_prefix_space") ?? false;
        TokenizerDefinition definition = new()
        {
            Where = folder,
            Model = new BytePairModel(vocabulary, merges, new BytePairOptions { ByteLevel = true }, folder),
            PreTokenizer = new ByteLevelPreTokenizer(prefixSpace, useRegex: true),
            Decoder = new ByteLevelDecoder(),
        };
        if (vocabulary.TryGetId("<s>", out int cls) && vocabulary.TryGetId("</s>", out int sep))
        {
            definition = definition with
            {
                PostProcessor = PostProcessorReader.Roberta(cls, sep, trimOffsets: true, prefixSpace),
                AddedTokens = [.. Special(vocabulary, RobertaTokens), .. Special(vocabulary, ["<mask>"]).Select(mask => mask with { StripLeft = true })],
            };
        }
        else
        {
            definition = definition with { AddedTokens = [.. Special(vocabulary, ["<|endoftext|>", "<|padding|>"])] };
        }

        return Complete(definition, configs);
    }

    /// <summary>WordPiece from a file with one token a line, as BERT uses it.</summary>
    public static TokenizerDefinition ReadWordPieces(string file, byte[] bytes, IReadOnlyList<JsonField> configs)
    {
        string[] lines = ReadLines(file, bytes);
        Vocabulary vocabulary = new([.. lines.Select((token, id) => new KeyValuePair<string, int>(token, id))], file);
        if (!vocabulary.TryGetId("[CLS]", out int cls) || !vocabulary.TryGetId("[SEP]", out int sep))
        {
            throw new CaldException($"{file}: the vocabulary has no [CLS] and [SEP]; only BERT's vocab.txt is understood");
        }

        return Complete(
            new TokenizerDefinition
            {
                Where = file,
                Model = new WordPieceModel(vocabulary, "[UNK]", "##", maximumCharacters: 100, file),
                Normalizer = new BertNormalizer(
                    cleanText: true, Flag(configs, "tokenize_chinese_chars") ?? true, Flag(configs, "strip_accents"), Flag(configs, "do_lower_case") ?? true),
                PreTokenizer = new BertPreTokenizer(),
                PostProcessor = PostProcessorReader.Bert(cls, sep),
                Decoder = new WordPieceDecoder("##", cleanUp: true),
                AddedTokens = [.. Special(vocabulary, BertTokens)],
            },
            configs);
    }

    /// <summary>Adds what tokenizer_config.json says of added tokens, and the special rôles.</summary>
    private static TokenizerDefinition Complete(TokenizerDefinition definition, IReadOnlyList<JsonField> configs)
    {
        Dictionary<int, AddedToken> added = definition.AddedTokens.ToDictionary(token => token.Id);
        foreach (JsonField config in configs)
        {
            foreach ((string key, JsonField token) in config.Optional("added_tokens_decoder")?.Members() ?? [])
            {
                if (!int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out int id))
                {
                    throw token.Error($"'{key}' is not an id");
                }

                added[id] = TokenizerJsonReader.ReadAddedToken(token, id);
            }
        }

        Dictionary<string, int> ids = added.Values.GroupBy(token => token.Content).ToDictionary(group => group.Key, group => group.Last().Id);
        return definition with { AddedTokens = [.. added.Values], Special = SpecialTokenReader.Resolve(configs, IdOf) };

        int? IdOf(string token) => ids.TryGetValue(token, out int id) || definition.Model.Vocabulary.TryGetId(token, out id) ? id : null;
    }

    private static IEnumerable<AddedToken> Special(Vocabulary vocabulary, IEnumerable<string> tokens)
    {
        foreach (string token in tokens)
        {
            if (vocabulary.TryGetId(token, out int id))
            {
                yield return new AddedToken(id, token) { Special = true };
            }
        }
    }

    private static List<(string, string)> ReadMerges(string file, byte[] bytes)
    {
        List<(string, string)> merges = [];
        string[] lines = ReadLines(file, bytes);
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].Length > 0 && !(i == 0 && lines[i].StartsWith("#version", StringComparison.Ordinal)))
            {
                merges.Add(TokenizerJsonReader.SplitMerge(lines[i], $"{file}: line {i + 1}"));
            }
        }

        return merges;
    }

    private static string[] ReadLines(string file, byte[] bytes)
    {
        try
        {
            string text = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(bytes);
            string[] lines = text.Split('\n');
            return [.. (lines[^1].Length == 0 ? lines.SkipLast(1) : lines).Select(line => line.EndsWith('\r') ? line[..^1] : line)];
        }
        catch (DecoderFallbackException e)
        {
            throw new CaldException($"{file}: not UTF-8 (byte {e.Index + 1})", e);
        }
    }

    private static bool? Flag(IReadOnlyList<JsonField> configs, string name) => configs.Select(config => config.Flag(name)).FirstOrDefault(flag => flag is not null);
}
