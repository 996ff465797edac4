using System.Text.Json.Nodes;
using LinearCald.Data.Tokenizers;

namespace LinearCald.Data.Tests.Tokenizers;

/// <summary>Small tokenizers written out in the tests: every kind of description, and what is said about bad ones.</summary>
public class TokenizerFileTests
{
    private const string WordPiece = """
        {"added_tokens":[],
         "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":6,
                  "vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":2,"un":3,"##able":4,"##a":5,"able":6,".":7,"n":8,"'":9,"t":10,"do":11}},
         "pre_tokenizer":{"type":"BertPreTokenizer"},
         "decoder":{"type":"WordPiece","prefix":"##","cleanup":true}}
        """;

    private const string ByteLevel = """
        {"added_tokens":[{"id":8,"content":"<x>","special":true}],
         "model":{"type":"BPE","vocab":{"a":0,"b":1,"Ġ":2,"ab":3,"Ġa":4,"Ġab":5,"aba":6,"c":7},"merges":["a b",["Ġ","a"],"Ġ ab"]},
         "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
         "decoder":{"type":"ByteLevel"}}
        """;

    [Theory]
    [InlineData("unable", new[] { 3, 4 }, "unable")]
    [InlineData("una able.", new[] { 3, 5, 6, 7 }, "una able.")]
    [InlineData("unx able", new[] { 0, 6 }, "[UNK] able")]
    [InlineData("unablea", new[] { 0 }, "[UNK]")] // seven characters
    [InlineData("don't", new[] { 0, 9, 10 }, "[UNK] ' t")]
    [InlineData("", new int[0], "")]
    public void WordPieceTakesTheLongestPieces(string text, int[] ids, string decoded)
    {
        Tokenizer tokenizer = Load(WordPiece);
        TokenEncoding encoding = tokenizer.Encode(text);
        Assert.Equal(ids, encoding.Ids);
        Assert.Equal(decoded, tokenizer.Decode(ids));
    }

    [Theory]
    [InlineData("ab ab", new[] { 3, 5 })]
    [InlineData("aba", new[] { 3, 0 })]
    [InlineData("a<x>b", new[] { 0, 8, 1 })]
    [InlineData("azb", new[] { 3 })] // z is not in the vocabulary, there is no unknown token: it is as if not there
    public void BytePairsMergeInBothForms(string text, int[] ids) => Assert.Equal(ids, Load(ByteLevel).Encode(text).Ids);

    [Fact]
    public void BytePairOptionsHaveTheirEffect()
    {
        Assert.Equal([6], Load(Edit(ByteLevel, json => json["model"]!["ignore_merges"] = true)).Encode("aba").Ids);
        string unknown = Edit(ByteLevel, json => json["model"]!["unk_token"] = "c");
        Assert.Equal([0, 7, 7, 1], Load(unknown).Encode("azzb").Ids);
        Assert.Equal([0, 7, 1], Load(Edit(unknown, json => json["model"]!["fuse_unk"] = true)).Encode("azzb").Ids);
        Assert.Equal([5], Load(Edit(ByteLevel, json => json["pre_tokenizer"]!["add_prefix_space"] = true)).Encode("ab").Ids);
        Assert.Equal([2, 3, 5], Load(Edit(ByteLevel, json =>
        {
            json["model"]!["merges"] = new JsonArray("a b", "Ġ ab");
            json["pre_tokenizer"] = JsonNode.Parse("""{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"String":" "},"behavior":"Isolated"},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}""");
        })).Encode(" ab").Ids.Concat(Load(ByteLevel).Encode(" ab").Ids));
    }

    [Theory]
    [InlineData("""{"lstrip":true}""", "b  <x>  a", "b|  <x>|Ġ|Ġa")]
    [InlineData("""{"rstrip":true}""", "b  <x>  a", "b|Ġ|Ġ|<x>  |a")]
    [InlineData("""{"single_word":true}""", "b<x> <x> a", "b|Ġ|<x>|Ġa")]
    [InlineData("""{"content":"<x><x>"}""", "<x><x><x>", "<x><x>")]
    [InlineData("""{"content":"AB"}""", "xABab", "AB|ab")]
    [InlineData("""{"content":"AB","normalized":true}""", "ABab", "ab|ab")]
    public void AddedTokensAreFoundAsDescribed(string changes, string text, string tokens)
    {
        string json = Edit(ByteLevel, root =>
        {
            foreach ((string name, JsonNode? value) in JsonNode.Parse(changes)!.AsObject())
            {
                root["added_tokens"]![0]![name] = value!.DeepClone();
            }

            if (changes.Contains("normalized", StringComparison.Ordinal))
            {
                root["normalizer"] = JsonNode.Parse("""{"type":"Lowercase"}""");
            }
        });
        Assert.Equal(tokens.Split('|'), Load(json).Encode(text).Tokens);
    }

    [Fact]
    public void TemplatesPlaceSpecialTokensAndTypes()
    {
        string json = Edit(WordPiece, root => root["post_processor"] = JsonNode.Parse("""
            {"type":"Sequence","processors":[{"type":"ByteLevel","trim_offsets":false},
             {"type":"TemplateProcessing",
              "single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
              "pair":[{"Sequence":{"id":"B","type_id":3}},{"SpecialToken":{"id":"[SEP]","type_id":2}},{"Sequence":{"id":"A","type_id":1}}],
              "special_tokens":{"[CLS]":{"id":"[CLS]","ids":[1],"tokens":["[CLS]"]},"[SEP]":{"id":"[SEP]","ids":[2,2],"tokens":["[SEP]","[SEP]"]}}}]}
            """));
        Tokenizer tokenizer = Load(json);
        Assert.Equal([1, 6], tokenizer.Encode("able").Ids);
        TokenEncoding pair = tokenizer.Encode("able", "un able");
        Assert.Equal([3, 6, 2, 2, 6], pair.Ids);
        Assert.Equal([3, 3, 2, 2, 1], pair.TypeIds);
        Assert.Equal([new(0, 2), new(3, 7), new(0, 0), new(0, 0), new(0, 4)], pair.Offsets);
        Assert.Equal([3, 6, 6], tokenizer.Encode("able", "un able", addSpecialTokens: false).Ids);
        Assert.Equal((1, 2), (tokenizer.SpecialTokenCount(pair: false), tokenizer.SpecialTokenCount(pair: true)));
    }

    [Fact]
    public void WithoutPostProcessorAPairIsJoined()
    {
        TokenEncoding pair = Load(WordPiece).Encode("able", "un");
        Assert.Equal([6, 3], pair.Ids);
        Assert.Equal([0, 1], pair.TypeIds);
    }

    [Theory]
    [InlineData("model.type", "\"Unigram\"", "the model type 'Unigram' is not supported; supported are BPE")]
    [InlineData("model.vocab", null, "model: 'vocab' is missing")]
    [InlineData("model.vocab", "{}", "vocabulary is empty")]
    [InlineData("model.vocab", "{\"[UNK]\":0,\"a\":0}", "both have id 0")]
    [InlineData("model.vocab", "{\"[UNK]\":-1}", "must lie between")]
    [InlineData("model.vocab", "{\"[UNK]\":2000000000}", "must lie between")]
    [InlineData("model.vocab", "{\"[UNK]\":1.5}", "model.vocab.[UNK]: an integer is expected")]
    [InlineData("model.vocab", "{\"a\":0}", "unknown token '[UNK]' is not in the vocabulary")]
    [InlineData("model", "[1]", "a JSON object is expected")]
    [InlineData("normalizer", "{\"type\":\"Nmt\"}", "the normalizer 'Nmt' is not supported")]
    [InlineData("normalizer", "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(\"},\"content\":\"\"}", "regular expression ( is not supported")]
    [InlineData("pre_tokenizer", "{\"type\":\"Metaspace\"}", "the pre-tokenizer 'Metaspace' is not supported")]
    [InlineData("pre_tokenizer", "{\"type\":\"ByteLevel\"}", "WordPiece together with the ByteLevel")]
    [InlineData("pre_tokenizer", "{\"type\":\"Punctuation\",\"behavior\":\"Odd\"}", "the behavior 'Odd' is not one of Removed")]
    [InlineData("post_processor", "{\"type\":\"Odd\"}", "the post-processor 'Odd' is not supported")]
    [InlineData("post_processor", "{\"type\":\"TemplateProcessing\",\"single\":[]}", "the text A must stand here exactly once")]
    [InlineData("decoder", "{\"type\":\"CTC\"}", "the decoder 'CTC' is not supported")]
    [InlineData("added_tokens", "[{\"id\":-5,\"content\":\"x\"}]", "must lie between")]
    [InlineData("added_tokens", "[{\"id\":5}]", "added_tokens[0]: 'content' is missing")]
    public void BadDescriptionsAreNamed(string place, string? value, string message)
    {
        string json = Edit(WordPiece, root =>
        {
            string[] path = place.Split('.');
            JsonNode parent = path.Length == 1 ? root : root[path[0]]!;
            parent[path[^1]] = value is null ? null : JsonNode.Parse(value);
        });
        CaldException error = Assert.Throws<CaldException>(() => Load(json));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains("tokenizer.json", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model.merges", "[\"a b c\"]", "'a b c' is not a merge")]
    [InlineData("model.merges", "[[\"a\"]]", "a merge is two tokens")]
    [InlineData("model.merges", "[\"b a\"]", "needs the token 'ba', which the vocabulary does not have")]
    [InlineData("model.end_of_word_suffix", "\"</w>\"", "end_of_word_suffix '</w>' is not supported")]
    [InlineData("model.byte_fallback", "true", "byte_fallback is not supported")]
    [InlineData("model.unk_token", "\"odd\"", "unknown token 'odd'")]
    public void BadBytePairsAreNamed(string place, string value, string message)
    {
        string json = Edit(ByteLevel, root => root["model"]![place[6..]] = JsonNode.Parse(value));
        Assert.Contains(message, Assert.Throws<CaldException>(() => Load(json)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BrokenAndMissingFilesAreNamed()
    {
        CaldException error = Assert.Throws<CaldException>(() => Load(WordPiece[..100]));
        Assert.Contains("tokenizer.json: not valid JSON (line", error.Message, StringComparison.Ordinal);
        Assert.Contains("no tokenizer found", Assert.Throws<CaldException>(() => Tokenizer.Load(Folder())).Message, StringComparison.Ordinal);
        Assert.Contains("no such folder or file", Assert.Throws<CaldException>(() => Tokenizer.Load("/nowhere/at/all")).Message, StringComparison.Ordinal);
        string lonely = Path.Combine(Folder(("vocab.json", "{\"a\":0}")), "vocab.json");
        Assert.Contains("needs both vocab.json and merges.txt", Assert.Throws<CaldException>(() => Tokenizer.Load(lonely)).Message, StringComparison.Ordinal);
        string merges = Folder(("vocab.json", "{\"a\":0}"), ("merges.txt", "#version: 0.2\na\n"));
        Assert.Contains("merges.txt: line 2: 'a' is not a merge", Assert.Throws<CaldException>(() => Tokenizer.Load(merges)).Message, StringComparison.Ordinal);
        string words = Folder(("vocab.txt", "[UNK]\na\n"));
        Assert.Contains("no [CLS] and [SEP]", Assert.Throws<CaldException>(() => Tokenizer.Load(words)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ConfigurationSetsSpecialRolesAndCase()
    {
        string folder = Folder(
            ("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nA\na\n"),
            ("tokenizer_config.json", """{"do_lower_case":false,"pad_token":{"content":"A"}}"""));
        Tokenizer tokenizer = Tokenizer.Load(folder);
        Assert.Equal([2, 4, 5, 3], tokenizer.Encode("A a").Ids);
        Assert.Equal((4, 2, 3, 1, null), (tokenizer.PadId, tokenizer.ClsId, tokenizer.SepId, tokenizer.UnkId, tokenizer.MaskId));
    }

    private static Tokenizer Load(string json) => Tokenizer.Load(Folder(("tokenizer.json", json)));

    private static string Edit(string json, Action<JsonNode> change)
    {
        JsonNode root = JsonNode.Parse(json)!;
        change(root);
        return root.ToJsonString();
    }

    private static string Folder(params (string Name, string Content)[] files)
    {
        string folder = Directory.CreateTempSubdirectory("cald-tokenizer-").FullName;
        foreach ((string name, string content) in files)
        {
            File.WriteAllText(Path.Combine(folder, name), content);
        }

        return folder;
    }
}
