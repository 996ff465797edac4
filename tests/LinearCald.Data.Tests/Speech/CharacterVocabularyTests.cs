using System.Text;
using FsCheck;
using FsCheck.Fluent;
using LinearCald.Data.Speech;

namespace LinearCald.Data.Tests.Speech;

public class CharacterVocabularyTests
{
    private static readonly CharacterVocabulary English = CharacterVocabulary.English();

    private static readonly Gen<string> Texts =
        from words in Gen.ListOf(Gen.NonEmptyListOf(Gen.Elements("abcxyzéß'ÅЖ漢".ToCharArray())))
        from spaces in Gen.Elements(" ", "  ", "\t", "\u00A0", " \r\n ")
        select string.Join(spaces, words.Select(word => new string([.. word])));

    [Fact]
    public void The_references_vocabulary_has_its_ids()
    {
        Assert.Equal(32, English.Size);
        Assert.Equal((0, 28, 29), (English.Blank, English.Delimiter, English.Unknown));
        Assert.Equal([8, 9, 28, 2, 15, 2, 27, 19], English.Encode("  HI\tBob's ", out string unknown));
        Assert.Equal("", unknown);
        Assert.Equal("hi bob's", English.Decode([0, 8, 9, 28, 2, 15, 2, 27, 19, 30, 31, 29]));
    }

    [Fact]
    public void Characters_outside_are_reported_once_and_become_unknown()
    {
        Assert.Equal([1, 29, 29, 28, 29], English.Encode("a4é é", out string unknown));
        Assert.Equal("4é", unknown);
        CharacterVocabulary without = CharacterVocabulary.FromJson("""{"<pad>":0,"|":1,"A":2}""");
        Assert.Null(without.Unknown);
        Assert.Equal([2, 1, 2], without.Encode("9 a 9😀 a", out unknown));
        Assert.Equal("9😀", unknown);
    }

    [Fact]
    public void What_transcripts_hold_comes_back() => Prop.ForAll(Gen.NonEmptyListOf(Texts).ToArbitrary(), texts =>
    {
        string all = string.Concat(texts).Trim();
        if (all.Length == 0)
        {
            return;
        }

        CharacterVocabulary vocabulary = CharacterVocabulary.FromTranscripts(texts);
        CharacterVocabulary again = CharacterVocabulary.FromJson(Json(vocabulary));
        Assert.Equal(vocabulary.Tokens, again.Tokens);
        foreach (string text in texts)
        {
            int[] ids = vocabulary.Encode(text, out string unknown);
            Assert.Equal("", unknown);
            Assert.Equal(ids, again.Encode(text, out _));
            Assert.Equal(string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), vocabulary.Decode(ids));
            Assert.DoesNotContain(vocabulary.Blank, ids);
        }
    }).Holds();

    [Fact]
    public void Saved_files_are_read_back()
    {
        using TemporaryFolder folder = new();
        English.Save(folder.Path);
        CharacterVocabulary read = CharacterVocabulary.Load(folder.Path);
        Assert.Equal(English.Tokens, read.Tokens);
        Assert.Equal((0, 28, 29), (read.Blank, read.Delimiter, read.Unknown));
        Assert.Equal(Enumerable.Range(0, 32).Select(English.IsSpecial), Enumerable.Range(0, 32).Select(read.IsSpecial));
        Assert.Equal([1, 29], read.Encode("aŁ", out _));
    }

    [Fact]
    public void Settings_and_added_tokens_count()
    {
        using TemporaryFolder folder = new();
        folder.Write("vocab.json", """{"_": 0, "~": 1, "a": 2, "?": 3}"""u8);
        folder.Write("added_tokens.json", """{"<s>": 4, "</s>": 5}"""u8);
        folder.Write("tokenizer_config.json", """{"pad_token": "_", "word_delimiter_token": "~", "bos_token": null}"""u8);
        folder.Write("special_tokens_map.json", """{"unk_token": {"content": "?", "lstrip": false}}"""u8);
        CharacterVocabulary vocabulary = CharacterVocabulary.Load(folder.Path);
        Assert.Equal((6, 0, 1, 3), (vocabulary.Size, vocabulary.Blank, vocabulary.Delimiter, vocabulary.Unknown));
        Assert.Equal("a a", vocabulary.Decode([4, 2, 1, 3, 2, 5]));
    }

    [Theory]
    [InlineData("""{"<pad>":0,"|":2,"a":1,"b":4}""", "the ids 0 to 3")]
    [InlineData("""{"<pad>":0,"|":1,"a":1}""", "same id 1")]
    [InlineData("""{"|":0,"a":1}""", "padding token")]
    [InlineData("""{"<pad>":0,"a":1}""", "between words")]
    [InlineData("""{"eng":{"a":0}}""", "several languages")]
    [InlineData("""{"<pad>":0.5}""", "integer")]
    [InlineData("{}", "no tokens")]
    [InlineData("""{"":0}""", "empty")]
    [InlineData("""[1]""", "object")]
    [InlineData("""{"<pad>":""", "not valid JSON")]
    public void Damaged_files_are_refused(string json, string said)
    {
        CaldException error = Assert.Throws<CaldException>(() => CharacterVocabulary.FromJson(json, "v.json"));
        Assert.Contains("v.json", error.Message, StringComparison.Ordinal);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_files_and_foreign_ids_are_refused()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("vocab.json", Assert.Throws<CaldException>(() => CharacterVocabulary.Load(folder.Path)).Message, StringComparison.Ordinal);
        Assert.Contains("id 32", Assert.Throws<CaldException>(() => English.Decode([1, 32])).Message, StringComparison.Ordinal);
        Assert.Throws<CaldException>(() => CharacterVocabulary.FromTranscripts(["", "  "]));
    }

    [SharedFact("weights/wav2vec2-tiny")]
    public void A_checkpoints_vocabulary_folds_to_upper_case()
    {
        CharacterVocabulary vocabulary = CharacterVocabulary.Load(TestFiles.InShared("weights/wav2vec2-tiny")!);
        Assert.Equal((32, 0, 4, 3), (vocabulary.Size, vocabulary.Blank, vocabulary.Delimiter, vocabulary.Unknown));
        Assert.Equal("IT'S ME", vocabulary.Decode(vocabulary.Encode("it's me", out string unknown)));
        Assert.Equal("", unknown);
        using TemporaryFolder folder = new();
        vocabulary.Save(folder.Path);
        Assert.Contains("\"do_lower_case\": true", File.ReadAllText(folder["tokenizer_config.json"]), StringComparison.Ordinal);
    }

    private static string Json(CharacterVocabulary vocabulary)
    {
        using TemporaryFolder folder = new();
        vocabulary.Save(folder.Path);
        return File.ReadAllText(folder["vocab.json"], Encoding.UTF8);
    }
}
