using System.IO.Compression;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using LinearCald.Data.Language;
using LinearCald.Data.Language.Files;
using LinearCald.Data.Tokenizers;

namespace LinearCald.Data.Tests.Language;

/// <summary>Text files as token ids, with a tokenizer of the 256 bytes and the end-of-text token 256.</summary>
public sealed class TokenizedCorpusTests : IDisposable
{
    private const int EndOfText = 256;

    private readonly TemporaryFolder _folder = new();
    private readonly Tokenizer _tokenizer;

    public TokenizedCorpusTests() => _tokenizer = ByteTokenizer("end");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a.txt", "one\ntwo\r\n\r\n \t\n\nthree é\n", new[] { "one\ntwo", "three é" }, 0)]
    [InlineData("a.txt", "\uFEFF\n\none", new[] { "one" }, 0)]
    [InlineData("a.txt", "<|end|> as text\n\nb", new[] { "<|end|> as text", "b" }, 0)]
    [InlineData("a.jsonl", "{\"text\": \"one\\n\\ntwo\"}\n\n{\"text\": \" \"}\n{\"id\": 1, \"text\": \"😀\"}\n", new[] { "one\n\ntwo", "😀" }, 1)]
    public void Files_become_documents(string name, string content, string[] expected, int empty)
    {
        string path = _folder.Write(name, Encoding.UTF8.GetBytes(content));
        string packed = _folder.Write(name + ".gz", Packed(Encoding.UTF8.GetBytes(content)));
        foreach (string file in (string[])[path, packed])
        {
            using TokenizedCorpus corpus = Open(Path.GetFileName(file) + ".cache", file);
            Assert.Equal(expected, Texts(corpus));
            CorpusCounts counts = corpus.Manifest.Counts;
            Assert.Equal((expected.Length, empty, expected.Sum(Encoding.UTF8.GetByteCount)), (counts.Documents, counts.EmptyDocuments, counts.Utf8Bytes));
            Assert.Equal((counts.Utf8Bytes, expected.Sum(text => text.EnumerateRunes().Count())), (counts.Tokens, counts.Characters));
            Assert.Equal(counts.StoredTokens, corpus.Tokens.TokenCount);
        }
    }

    [Fact]
    public void A_file_can_be_one_document_and_a_folder_a_corpus()
    {
        _folder.Write("train/b.txt", "two\n\nmore\n"u8);
        _folder.Write("train/a.jsonl", "{\"body\": \"one\"}\n"u8);
        _folder.Write("train/notes.md", "no text file"u8);
        _folder.Write("train/z/c.txt", " \n"u8);
        _folder.Write("dev.txt", "valid"u8);
        _folder.Write("test.txt.xz", [0xFD, .. "7zXZ\0"u8]);
        using TokenizedCorpus corpus = TokenizedCorpus.Open(
            _folder["cache"], TextCorpusFiles.FindPart(_folder.Path, "train")!, _tokenizer, new() { Split = DocumentSplit.WholeFile, TextField = "body" });
        Assert.Equal(["one", "two\n\nmore\n"], Texts(corpus));
        Assert.Equal((1, 13), (corpus.Manifest.Counts.EmptyDocuments, corpus.Manifest.Counts.Tokens));
        Assert.Equal([_folder["dev.txt"]], TextCorpusFiles.FindPart(_folder.Path, "valid"));
        Assert.Null(TextCorpusFiles.FindPart(_folder.Path, "other"));
        Assert.Contains("xz -dk test.txt.xz", Assert.Throws<CaldException>(() => TextCorpusFiles.FindPart(_folder.Path, "test")).Message, StringComparison.Ordinal);
        Assert.Throws<CaldException>(() => TextCorpusFiles.List(_folder["nowhere"]));
    }

    [Fact]
    public void A_cache_is_used_again_until_something_changes()
    {
        string path = _folder.Write("a.txt", "one\n\ntwo"u8);
        Open("cache", path).Dispose();
        Assert.True(Reused(path));
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddDays(-1)); // touched, but the same
        Assert.True(Reused(path));
        Assert.True(Reused(path));

        _folder.Write("a.txt", "one\n\nsix"u8); // the same size
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddDays(-2));
        Assert.False(Reused(path));
        Assert.Equal(["one", "six"], Texts(Open("cache", path)));
        Assert.False(Reused(path, options: new() { Split = DocumentSplit.WholeFile }));
        Assert.False(Reused(path, tokenizer: ByteTokenizer("other")));
        Assert.False(Reused(path));
        Assert.False(Reused([path, path]));
        Assert.True(Reused([path, path]));
        File.WriteAllBytes(_folder["cache/tokens.bin"], [1, 2]);
        Assert.False(Reused([path, path]));
        File.WriteAllText(_folder["cache/manifest.json"], "{ \"format\": 1 }");
        Assert.False(Reused([path, path]));
        File.WriteAllText(_folder["cache/manifest.json"], "{");
        Assert.False(Reused([path, path]));
        Assert.Equal([".lock", "manifest.json", "tokens.bin", "tokens.idx"], Directory.GetFiles(_folder["cache"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void An_interrupted_build_goes_on_and_gives_the_same()
    {
        string[] texts = [.. Enumerable.Range(0, 4_000).Select(i => $"document {i} {new string((char)('a' + i % 26), i % 900)}")];
        string first = _folder.Write("a.txt", Encoding.UTF8.GetBytes(string.Join("\n\n", texts[..2_000])));
        string second = _folder.Write("b.jsonl.gz", Packed(Encoding.UTF8.GetBytes(string.Concat(texts[2_000..].Select(t => JsonSerializer.Serialize(new { text = t }) + "\n")))));
        using TokenizedCorpus whole = Open("whole", first, second);
        Assert.Equal(texts, Texts(whole));

        CorpusPlan plan = CorpusPlan.Of([first, second], _tokenizer, new TextCorpusOptions());
        int interruptions = 0;
        for (bool done = false; !done;)
        {
            using CancellationTokenSource stop = new();
            long before = -1;
            CorpusCache cache = new(_folder["cut"], plan, p =>
            {
                // Each attempt gets some batches further and is stopped then.
                before = before < 0 ? p.Documents : before;
                if (p.Documents > before)
                    stop.Cancel();
            }, stop.Token)
            { MarkDistance = 1, ReportInterval = TimeSpan.Zero };
            try
            {
                using TokenizedCorpus corpus = cache.OpenOrBuild();
                Assert.Equal(texts, Texts(corpus));
                Assert.Equal(whole.Manifest, corpus.Manifest with { Sources = whole.Manifest.Sources });
                Assert.Equal(whole.Manifest.Sources, corpus.Manifest.Sources);
                Assert.Equal(File.ReadAllBytes(_folder["whole/tokens.bin"]), File.ReadAllBytes(_folder["cut/tokens.bin"]));
                Assert.Equal(File.ReadAllBytes(_folder["whole/tokens.idx"]), File.ReadAllBytes(_folder["cut/tokens.idx"]));
                done = true;
            }
            catch (OperationCanceledException)
            {
                interruptions++;
                Assert.True(File.Exists(_folder["cut/build.json"]));
                if (interruptions == 2)
                    File.AppendAllText(_folder["cut/tokens.bin.tmp"], "written after the mark, before the crash");
                Assert.True(interruptions < 50);
            }
        }

        Assert.True(interruptions >= 2, $"{interruptions} interruptions");
    }

    [Fact]
    public void Unfinished_files_of_something_else_are_not_gone_on_with()
    {
        string path = _folder.Write("a.txt", "one\n\ntwo"u8);
        using (CancellationTokenSource stop = new())
        {
            stop.Cancel();
            Assert.Throws<OperationCanceledException>(() => TokenizedCorpus.Open(_folder["cache"], [path], _tokenizer, cancellation: stop.Token));
        }

        Assert.Empty(Directory.GetFiles(_folder["cache"], "*.tmp"));
        foreach (string damage in (string[])["{", "{\"key\": \"other\"}", "[]"])
        {
            File.WriteAllText(_folder["cache/build.json"], damage);
            File.WriteAllText(_folder["cache/tokens.bin.tmp"], "left over");
            using TokenizedCorpus corpus = Open("cache", path);
            Assert.Equal(["one", "two"], Texts(corpus));
            File.Delete(_folder["cache/manifest.json"]);
        }
    }

    [Fact]
    public void A_second_builder_waits_and_finds_the_corpus()
    {
        string path = _folder.Write("a.txt", "one\n\ntwo"u8);
        Directory.CreateDirectory(_folder["cache"]);
        int waits = 0;
        using CancellationTokenSource stop = new();
        using (FileClaim.Take(_folder["cache/.lock"], () => { }, default))
        {
            Assert.Throws<OperationCanceledException>(() => TokenizedCorpus.Open(_folder["cache"], [path], _tokenizer, null, p =>
            {
                Assert.True(p.Waiting);
                if (++waits == 2)
                    stop.Cancel();
            }, stop.Token));
        }

        bool[] reused = new bool[4];
        Parallel.For(0, reused.Length, i =>
        {
            using TokenizedCorpus corpus = Open("cache", path);
            Assert.Equal(["one", "two"], Texts(corpus));
            reused[i] = corpus.Reused;
        });
        Assert.Equal(3, reused.Count(r => r));
    }

    [Fact]
    public void Bad_input_is_named()
    {
        Refuses("a.txt", [.. "ok\n\nthis: "u8, 0xC3, (byte)'x'], "a.txt: not valid UTF-8: byte 0xC3 at byte offset 10, line 3");
        Refuses("a.jsonl", [.. "{\"text\": \"a\"}\n{\"text\": \""u8, 0xFF, .. "\"}"u8], "byte 0xFF at byte offset 24, line 2");
        Refuses("a.jsonl", "{\"text\": \"a\"}\n{\"txt\": \"b\"}"u8, "a.jsonl:2: no field \"text\"; this row has \"txt\"");
        Refuses("a.jsonl", "{\"text\": \"a\"}\n{\"text\": "u8, "a.jsonl:2: not JSON");
        Refuses("a.jsonl", "{\"text\": 5}"u8, "a.jsonl:1: field \"text\" is a JSON Number");
        Refuses("a.txt", " \n\n\t\n"u8, "no text in this file");
        Refuses("a.txt", ""u8, "no text in this file");
        Refuses("a.txt.gz", Packed("some text that is long enough to be cut"u8).AsSpan()[..^12], "gzip data are damaged or cut off");
        Refuses("a.txt.zst", [0x28, 0xB5, 0x2F, 0xFD, 0], "packed with zstd, which is not read: unpack it first (zstd -d a.txt.zst)");
        Refuses("a.txt.xz", [0xFD, .. "7zXZ\0"u8, 0], "unpack it first (xz -dk a.txt.xz)");
        Assert.Contains("no such text file", Assert.Throws<CaldException>(() => Open("cache", _folder["none.txt"])).Message, StringComparison.Ordinal);
        Assert.Contains("is a file", Assert.Throws<CaldException>(() => Open("a.txt", _folder["a.txt"])).Message, StringComparison.Ordinal);

        string path = _folder.Write("a.txt", [.. "this: "u8, 0xC3, (byte)'x']);
        using TokenizedCorpus corpus = TokenizedCorpus.Open(_folder["cache"], [path], _tokenizer, new() { ReplaceInvalidUtf8 = true });
        Assert.Equal(["this: \uFFFDx"], Texts(corpus));

        void Refuses(string name, ReadOnlySpan<byte> bytes, string said)
        {
            string file = _folder.Write(name, bytes);
            CaldException error = Assert.Throws<CaldException>(() => Open("cache", file));
            Assert.Contains(said, error.Message, StringComparison.Ordinal);
            Assert.Empty(Directory.GetFiles(_folder["cache"], "*.tmp"));
        }
    }

    [Fact]
    public void Pieces_of_a_text_have_its_tokens()
    {
        Tokenizer real = Tokenizer.Load(TestFiles.InShared("weights/pythia-tiny") is { } folder ? folder : Tokens("end"));
        Gen<string> words = Gen.Elements("the", "of", "é", " ", "  ", "\n", "\n\n", "\t", "12", "!?", "'s", "<|endoftext|>", "\u00A0", "e\u0301", "😀", "\r\n").ArrayOf().Select(string.Concat);
        Prop.ForAll((from text in words from length in Gen.Choose(1, 12) select (text, length)).ToArbitrary(), c =>
        {
            string[] pieces = [.. TextPieces.Of(c.text, c.length)];
            Assert.Equal(c.text, string.Concat(pieces));
            Assert.Equal(real.EncodePlain(c.text), pieces.SelectMany(real.EncodePlain));
        }).Holds(500);
    }

    [SharedFact("weights/pythia-tiny")]
    public void The_tiny_teacher_s_tokenizer_reads_special_tokens_in_text_as_text()
    {
        Tokenizer tokenizer = Tokenizer.Load(TestFiles.InShared("weights/pythia-tiny")!);
        Assert.Equal(0, tokenizer.Special.Eos);
        const string Text = "before <|endoftext|> after";
        Assert.Contains(0, tokenizer.Encode(Text).Ids);
        int[] plain = tokenizer.EncodePlain(Text);
        Assert.DoesNotContain(0, plain);
        Assert.Equal(Text, tokenizer.Decode(plain, skipSpecialTokens: false));
        string path = _folder.Write("a.txt", Encoding.UTF8.GetBytes(Text));
        using TokenizedCorpus corpus = TokenizedCorpus.Open(_folder["cache"], [path], tokenizer);
        Assert.Equal([.. plain, 0], corpus.Tokens.Sequence(0));
    }

    private TokenizedCorpus Open(string cache, params string[] files) => TokenizedCorpus.Open(_folder[cache], files, _tokenizer);

    private bool Reused(string file, TextCorpusOptions? options = null, Tokenizer? tokenizer = null) => Reused([file], options, tokenizer);

    private bool Reused(string[] files, TextCorpusOptions? options = null, Tokenizer? tokenizer = null)
    {
        using TokenizedCorpus corpus = TokenizedCorpus.Open(_folder["cache"], files, tokenizer ?? _tokenizer, options);
        return corpus.Reused;
    }

    private static string[] Texts(TokenizedCorpus corpus) =>
    [
        .. Enumerable.Range(0, (int)corpus.Tokens.SequenceCount).Select(i =>
        {
            int[] ids = corpus.Tokens.Sequence(i);
            Assert.Equal(EndOfText, ids[^1]);
            return Encoding.UTF8.GetString([.. ids[..^1].Select(id => (byte)id)]);
        }),
    ];

    private static byte[] Packed(ReadOnlySpan<byte> bytes)
    {
        using MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionLevel.Fastest))
            gzip.Write(bytes);
        return packed.ToArray();
    }

    private Tokenizer ByteTokenizer(string special) => Tokenizer.Load(Tokens(special));

    /// <summary>A byte-level tokenizer without merges, whose token of a byte has the byte's number.</summary>
    private string Tokens(string special)
    {
        int next = 256;
        Dictionary<string, int> vocabulary = Enumerable.Range(0, 256)
            .ToDictionary(b => ((char)(b is (>= 33 and <= 126) or (>= 161 and <= 172) or >= 174 ? b : next++)).ToString(), b => b);
        object json = new
        {
            version = "1.0",
            added_tokens = (object[])[new { id = EndOfText, content = $"<|{special}|>", special = true, normalized = false, single_word = false, lstrip = false, rstrip = false }],
            pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = true },
            decoder = new { type = "ByteLevel" },
            model = new { type = "BPE", vocab = vocabulary, merges = Array.Empty<string>() },
        };
        _folder.Write($"{special}/tokenizer.json", JsonSerializer.SerializeToUtf8Bytes(json));
        _folder.Write($"{special}/tokenizer_config.json", JsonSerializer.SerializeToUtf8Bytes(new { eos_token = $"<|{special}|>" }));
        return _folder[special];
    }
}
