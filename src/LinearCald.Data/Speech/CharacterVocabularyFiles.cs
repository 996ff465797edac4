using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LinearCald.Data.Tokenizers.Files;

namespace LinearCald.Data.Speech;

/// <summary>The files of HuggingFace's CTC tokenizer.</summary>
internal static class CharacterVocabularyFiles
{
    private const int MaxFileBytes = 1 << 24;
    private const int MaxTokens = 1 << 17;

    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static CharacterVocabulary Load(string folder)
    {
        string path = Path.Combine(folder, "vocab.json");
        if (!File.Exists(path))
        {
            throw new CaldException(
                $"{path} does not exist: a CTC model has its characters there; copy it from the checkpoint, or make a vocabulary of the transcripts");
        }

        List<JsonField> settings = [];
        foreach (string name in (string[])["tokenizer_config.json", "special_tokens_map.json"])
        {
            if (Optional(folder, name) is { } found)
            {
                settings.Add(found);
            }
        }

        return Build(path, Parse(path, Bytes(path)), Optional(folder, "added_tokens.json"), settings);
    }

    public static CharacterVocabulary FromJson(string json, string name) => Build(name, Parse(name, Encoding.UTF8.GetBytes(json)), null, []);

    public static void Save(CharacterVocabulary vocabulary, string folder)
    {
        Directory.CreateDirectory(folder);
        string blank = vocabulary.Tokens[vocabulary.Blank], delimiter = vocabulary.Tokens[vocabulary.Delimiter];
        string? unknown = vocabulary.Unknown is { } id ? vocabulary.Tokens[id] : null;
        string? Special(string token) => vocabulary.Tokens.Index().Any(t => t.Item == token && vocabulary.IsSpecial(t.Index)) ? token : null;

        // HuggingFace's tokenizer turns text into upper case when do_lower_case is set.
        bool upper = vocabulary.Tokens.Any(IsUpper) && !vocabulary.Tokens.Any(IsLower);
        Write(folder, "vocab.json", json =>
        {
            for (int i = 0; i < vocabulary.Size; i++)
            {
                json.WriteNumber(vocabulary.Tokens[i], i);
            }
        });
        void WriteSpecial(Utf8JsonWriter json)
        {
            json.WriteString("bos_token", Special("<s>"));
            json.WriteString("eos_token", Special("</s>"));
            json.WriteString("pad_token", blank);
            json.WriteString("unk_token", unknown);
        }

        Write(folder, "special_tokens_map.json", WriteSpecial);
        Write(folder, "tokenizer_config.json", json =>
        {
            json.WriteString("tokenizer_class", "Wav2Vec2CTCTokenizer");
            json.WriteBoolean("do_lower_case", upper);
            json.WriteString("replace_word_delimiter_char", " ");
            json.WriteString("word_delimiter_token", delimiter);
            WriteSpecial(json);
        });
    }

    private static CharacterVocabulary Build(string name, Dictionary<string, int> ids, JsonField? added, List<JsonField> settings)
    {
        HashSet<string> special = new(["<s>", "</s>"], StringComparer.Ordinal);
        foreach ((string token, JsonField id) in added?.Members() ?? [])
        {
            if (!ids.TryAdd(token, id.Integer()) && ids[token] != id.Integer())
            {
                throw id.Error($"has the id {id.Integer()} here and {ids[token]} in {name}");
            }

            special.Add(token);
        }

        string[] tokens = InOrder(name, ids);
        string? Setting(string key) => settings.Select(file => Content(file.Optional(key))).FirstOrDefault(text => text is not null);
        int? Named(string key, params string[] usual)
        {
            string? set = Setting(key);
            return (set is null ? usual : [set]).Where(ids.ContainsKey).Select(token => (int?)ids[token]).FirstOrDefault();
        }

        int blank = Named("pad_token", "<pad>", "[PAD]") ?? throw new CaldException(
            $"{name}: no padding token, which is CTC's blank: none of <pad> and [PAD] is there, nor what tokenizer_config.json calls pad_token");
        int delimiter = Named("word_delimiter_token", "|", " ") ?? throw new CaldException(
            $"{name}: no token stands between words: neither | nor a space is there, nor what tokenizer_config.json calls word_delimiter_token");
        int? unknown = Named("unk_token", "<unk>", "[UNK]");
        foreach (string key in (string[])["bos_token", "eos_token"])
        {
            if (Setting(key) is { } token)
            {
                special.Add(token);
            }
        }

        if (blank == delimiter)
        {
            throw new CaldException($"{name}: \"{tokens[blank]}\" is both the blank and the delimiter of words");
        }

        return new CharacterVocabulary(
            tokens, blank, delimiter, unknown, special.Where(ids.ContainsKey).Select(token => ids[token]).Where(id => id != delimiter));
    }

    private static string[] InOrder(string name, Dictionary<string, int> ids)
    {
        string?[] tokens = new string?[ids.Count];
        foreach ((string token, int id) in ids)
        {
            if ((uint)id >= (uint)tokens.Length)
            {
                throw new CaldException($"{name}: \"{token}\" has the id {id}, but {tokens.Length} tokens have the ids 0 to {tokens.Length - 1}");
            }

            if (tokens[id] is { } other)
            {
                throw new CaldException($"{name}: \"{other}\" and \"{token}\" have the same id {id}");
            }

            tokens[id] = token;
        }

        return tokens!;
    }

    private static Dictionary<string, int> Parse(string name, byte[] bytes)
    {
        Dictionary<string, int> ids = new(StringComparer.Ordinal);
        foreach ((string token, JsonField id) in JsonField.Parse(name, bytes).Members())
        {
            if (id.IsObject)
            {
                throw id.Error("is a vocabulary of its own, one of several languages; save the one of your language as vocab.json");
            }

            if (token.Length == 0 || !ids.TryAdd(token, id.Integer()))
            {
                throw id.Error(token.Length == 0 ? "a token is empty" : "the token is there twice");
            }

            if (ids.Count > MaxTokens)
            {
                throw new CaldException($"{name}: more than {MaxTokens} tokens; this is no vocabulary of characters");
            }
        }

        return ids.Count > 0 ? ids : throw new CaldException($"{name}: no tokens");
    }

    // A token is a text, or an object whose "content" is one.
    private static string? Content(JsonField? token) =>
        token is null ? null : token.Value.IsObject ? token.Value.Text("content") : token.Value.IsText ? token.Value.Text() : throw token.Value.Error("a token is expected");

    private static JsonField? Optional(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        return File.Exists(path) ? JsonField.Parse(path, Bytes(path)) : null;
    }

    private static byte[] Bytes(string path)
    {
        try
        {
            long length = new FileInfo(path).Length;
            return length <= MaxFileBytes
                ? File.ReadAllBytes(path)
                : throw new CaldException($"{path}: {length} bytes; a vocabulary of characters has no more than {MaxFileBytes >> 20} MiB");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CaldException($"{path} cannot be read: {failure.Message}", failure);
        }
    }

    private static void Write(string folder, string name, Action<Utf8JsonWriter> members)
    {
        string path = Path.Combine(folder, name);
        try
        {
            using FileStream file = File.Create(path);
            using Utf8JsonWriter json = new(file, Indented);
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CaldException($"{path} cannot be written: {failure.Message}", failure);
        }
    }

    private static bool IsUpper(string token) => token.Length == 1 && char.IsUpper(token[0]);

    private static bool IsLower(string token) => token.Length == 1 && char.IsLower(token[0]);
}
