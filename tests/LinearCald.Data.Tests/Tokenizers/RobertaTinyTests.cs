using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FsCheck.Fluent;
using LinearCald.Data.Batching;
using LinearCald.Data.Tasks;
using LinearCald.Data.Tokenizers;

namespace LinearCald.Data.Tests.Tokenizers;

/// <summary>The tokenizer of the teacher that comes with the project.</summary>
public class RobertaTinyTests
{
    private static readonly string Folder = TestFiles.InCheckout("weights/roberta-tiny");
    private static readonly Tokenizer FromJson = Tokenizer.Load(Folder);
    private static readonly Tokenizer FromMerges = Tokenizer.Load(Path.Combine(Folder, "merges.txt"));

    /// <summary>Worked out from merges.txt by hand and by a twelve-line script.</summary>
    [Theory]
    [InlineData("Hello world!", "H ell o Ġworld !", new[] { 44, 986, 83, 2087, 5 })]
    [InlineData("The translation of documentation's files", "The Ġtransl ation Ġof Ġdocumentation 's Ġfiles", new[] { 437, 2508, 333, 287, 1886, 454, 757 })]
    [InlineData("naïve café", "n a Ã ¯ ve Ġc af Ã ©", new[] { 82, 69, 132, 112, 324, 272, 2958, 132, 107 })]
    [InlineData("x   y", "x Ġ Ġ Ġy", new[] { 92, 225, 225, 369 })]
    [InlineData("日本", "æ Ĺ ¥ æ ľ ¬", new[] { 167, 250, 103, 167, 255, 110 })]
    [InlineData("😀", "ð Ł ĺ Ģ", new[] { 177, 258, 251, 227 })]
    [InlineData("a<mask> </s>", "a <mask> Ġ </s>", new[] { 69, 4, 225, 2 })]
    public void EncodesAsWorkedOutByHand(string text, string tokens, int[] ids)
    {
        TokenEncoding encoding = FromJson.Encode(text);
        Assert.Equal([0, .. ids, 2], encoding.Ids);
        Assert.Equal(["<s>", .. tokens.Split(' '), "</s>"], encoding.Tokens);
        Assert.Equal(text.Replace("<mask>", "", StringComparison.Ordinal).Replace("</s>", "", StringComparison.Ordinal), FromJson.Decode(encoding.Ids));
        Assert.Equal("<s>" + text + "</s>", FromJson.Decode(encoding.Ids, skipSpecialTokens: false));
    }

    [Fact]
    public void OffsetsAreCodePointsWithoutTheBlank() =>
        Assert.Equal(
            [new(0, 0), new(0, 1), new(0, 1), new(0, 1), new(0, 1), new(2, 7), new(0, 0)],
            FromJson.Encode("😀 world").Offsets);

    [Fact]
    public void SpecialIdsAreKnown()
    {
        Assert.Equal((1, 0, 2, 3, 4), (FromJson.PadId, FromJson.BosId, FromJson.EosId, FromJson.UnkId, FromJson.MaskId));
        Assert.Equal(FromJson.Special, FromMerges.Special);
        Assert.Equal(4096, FromJson.VocabularySize);
    }

    [Fact]
    public void BothFormsOfTheFilesAgree() => Prop.ForAll(Texts.Two, texts =>
    {
        TokenEncoding first = FromJson.Encode(texts.First, texts.Second), second = FromMerges.Encode(texts.First, texts.Second);
        Assert.Equal(first.Ids, second.Ids);
        Assert.Equal(first.TypeIds, second.TypeIds);
        Assert.Equal(first.Tokens, second.Tokens);
    }).Holds();

    [Fact]
    public void DecodingGivesTheTextBack() => Prop.ForAll(Texts.Any, text =>
        Assert.Equal(text, FromJson.Decode(FromJson.Encode(text, addSpecialTokens: false).Ids, skipSpecialTokens: false))).Holds();

    /// <summary>The bytes of the tokens, in order, are the bytes of the text; and each token's range holds its bytes.</summary>
    [Fact]
    public void OffsetsCoverTheText() => Prop.ForAll(Texts.Any, text =>
    {
        TokenEncoding encoding = FromJson.Encode(text, addSpecialTokens: false);
        Rune[] runes = [.. text.EnumerateRunes()];
        int last = 0;
        for (int i = 0; i < encoding.Ids.Length; i++)
        {
            (int start, int end) = (encoding.Offsets[i].Start, encoding.Offsets[i].End);
            Assert.True(start <= end && end <= runes.Length && end >= last, $"{start} {end}");
            string covered = string.Concat(runes[start..end].Select(rune => rune.ToString()));
            string token = FromJson.Decode([encoding.Ids[i]], skipSpecialTokens: false).Trim();
            Assert.True(token.Contains('\uFFFD', StringComparison.Ordinal) || covered.Trim() == token, $"'{covered}' '{token}'");
            last = end;
        }
    }).Holds();

    [Fact]
    public void TruncationKeepsBeginningsAndFills() => Prop.ForAll(Texts.Two, Gen.Choose(4, 40).ToArbitrary(), (texts, limit) =>
    {
        int[] first = FromJson.Encode(texts.First, addSpecialTokens: false).Ids, second = FromJson.Encode(texts.Second, addSpecialTokens: false).Ids;
        TokenEncoding pair = FromJson.Encode(texts.First, texts.Second, maxLength: limit);
        int all = first.Length + second.Length + 4;
        Assert.Equal(Math.Min(all, limit), pair.Ids.Length);
        Assert.Equal(all - pair.Ids.Length, pair.RemovedTokens);
        Assert.Equal(pair.Ids.Length, pair.Tokens.Count);
        Assert.Equal(pair.Ids, FromJson.EncodeIds(texts.First, texts.Second, limit, out bool truncated));
        Assert.Equal(pair.RemovedTokens > 0, truncated);
        Assert.Equal(FromJson.Encode(texts.First, maxLength: limit).Ids, FromJson.EncodeIds(texts.First, null, limit, out _));

        int room = Math.Min(first.Length + second.Length, limit - 4);
        int kept = KeptOfFirst(first.Length, second.Length, room);
        Assert.Equal([0, .. first[..kept], 2, 2, .. second[..(room - kept)], 2], pair.Ids);
    }).Holds();

    /// <summary>How many of the first text's tokens longest-first leaves: all if they are few, the rest if the second's are few, else half, rounded by which is shorter.</summary>
    private static int KeptOfFirst(int first, int second, int room) =>
        first + second <= room ? first
        : first <= second ? Math.Min(first, room / 2)
        : second <= room / 2 ? room - second : room - room / 2;

    [Fact]
    public void ATextAloneIsCutAtItsEnd()
    {
        TokenEncoding encoding = FromJson.Encode("Hello world!", maxLength: 4);
        Assert.Equal([0, 44, 986, 2], encoding.Ids);
        Assert.Equal(3, encoding.RemovedTokens);
        Assert.Contains("no room", Assert.Throws<CaldException>(() => FromJson.Encode("x", maxLength: 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheSampleIsTokenisedWhole()
    {
        TextTask task = SampleTasks.Sections();
        TokenizedDataset data = TokenizedDataset.Tokenize(task.Validation, FromJson.EncodeIds, maxLength: 48);
        Assert.Equal(task.Validation.Count, data.Count);
        Assert.Equal(task.Validation.Count(example => FromJson.Encode(example.Text).Ids.Length > 48), data.TruncatedCount);
        Assert.Equal(FromJson.Encode(task.Validation[7].Text, maxLength: 48).Ids, data.Ids(7).ToArray());
    }

    [Fact]
    public void ThreadsShareATokenizer()
    {
        Tokenizer fresh = Tokenizer.Load(Folder);
        string[] texts = [.. Enumerable.Range(0, 400).Select(i => $"Number {i * 7919} of the documents, {i % 13} words' worth")];
        int[][] results = new int[texts.Length][];
        Parallel.For(0, texts.Length, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i => results[i] = fresh.Encode(texts[i]).Ids);
        Assert.All(texts.Zip(results), item => Assert.Equal(FromJson.Encode(item.First).Ids, item.Second));
    }

    [Fact]
    public void SavingCopiesTheFilesByteForByte()
    {
        string folder = Path.Combine(Directory.CreateTempSubdirectory().FullName, "new", "model");
        FromJson.Save(folder);
        string[] names = [.. Directory.GetFiles(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        Assert.Equal(["merges.txt", "tokenizer.json", "tokenizer_config.json", "vocab.json"], names);
        Assert.All(names, name => Assert.Equal(File.ReadAllBytes(Path.Combine(Folder, name)), File.ReadAllBytes(Path.Combine(folder, name))));
        Assert.Equal(FromJson.Encode("Hello").Ids, Tokenizer.Load(folder).Encode("Hello").Ids);
    }

    [Fact]
    public void FilesAreThoseOfTheManifest()
    {
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllBytes(TestFiles.InCheckout("weights/manifest.json")));
        JsonElement[] files = [.. manifest.RootElement.GetProperty("files").EnumerateArray()];
        string weights = TestFiles.InCheckout("weights");
        Assert.Equal(Directory.GetDirectories(weights).Sum(model => Directory.GetFiles(model).Length), files.Length);
        Assert.All(files, file =>
        {
            byte[] bytes = File.ReadAllBytes(TestFiles.InCheckout("weights/" + file.GetProperty("name").GetString()));
            Assert.Equal(file.GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(bytes)));
        });
    }
}
