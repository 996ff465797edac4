using System.Text;
using System.Text.Json;
using LinearCald.Data.Language;
using LinearCald.Data.Tokenizers;
using LinearCald.Models.GptNeoX;
using LinearCald.Models.Language;
using LinearCald.Models.Mamba;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Cli.Tests;

/// <summary>`cald eval` and `cald generate` on a language model with random weights.</summary>
public sealed class LanguageCommandTests : IClassFixture<LanguageCommandTests.RandomModel>, IDisposable
{
    private readonly RandomModel _model;
    private readonly TemporaryFolder _folder = new();

    public LanguageCommandTests(RandomModel model) => _model = model;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ZeroShotTasksGiveATableOrRows()
    {
        string data = Tasks();
        Capture table = Capture.Run("eval", "--model", _model.Path, "--task", "all", "--data", data);
        Assert.Equal(("", 0), (table.Error, table.ExitCode));
        Assert.Contains("|    Tasks     |Version|Filter|n-shot|", table.Out, StringComparison.Ordinal);
        Assert.Contains("|lambada_openai|", table.Out, StringComparison.Ordinal);
        Assert.Contains("|acc_norm  |", table.Out, StringComparison.Ordinal);
        Assert.Contains("over 2 task(s); 5 questions", table.Out, StringComparison.Ordinal);

        Capture rows = Capture.Run("eval", "--model", _model.Path, "--task", "piqa,lambada_openai", "--data", data, "--limit", "2", "--json");
        JsonElement[] parsed = [.. rows.Out.TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(["piqa acc", "piqa acc_norm", "lambada_openai acc", "lambada_openai perplexity", "mean acc"], parsed.Select(r => $"{r.GetProperty("task")} {r.GetProperty("metric")}"));
        Assert.All(parsed[..4], r => Assert.Equal(2, r.GetProperty("examples").GetInt32()));
        Assert.All(parsed, r => Assert.Equal(("teacher", _model.Parameters), (r.GetProperty("mode").GetString(), r.GetProperty("parameters").GetInt64())));
    }

    [Fact]
    public void BatchesDoNotChangeTheRows()
    {
        string data = Tasks();
        string[] arguments = ["eval", "--model", _model.Path, "--task", "piqa", "--data", data, "--predictions"];
        string one = _folder["one.jsonl"], many = _folder["many.jsonl"];
        Assert.Equal(0, Capture.Run([.. arguments, one, "--batch-size", "1"]).ExitCode);
        Capture second = Capture.Run([.. arguments, many, "--batch-size", "7", "--against", one]);
        Assert.Equal(0, second.ExitCode);
        Assert.Contains("piqa: 3 answers compared, 0 differ", second.Out, StringComparison.Ordinal);
        Assert.Equal([1, 2, 3], File.ReadLines(many).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("line").GetInt32()));

        File.WriteAllText(one, File.ReadAllText(one).Replace("\"right\":true", "\"right\":null", StringComparison.Ordinal).Replace("\"right\":false", "\"right\":true", StringComparison.Ordinal)
            .Replace("\"right\":null", "\"right\":false", StringComparison.Ordinal));
        Capture different = Capture.Run([.. arguments, many, "--against", one, "--json"]);
        Assert.Equal(1, different.ExitCode);
        Assert.Contains("\"compared\":\"piqa\",\"examples\":3,\"different\":3", different.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("has a language model: give --task perplexity", "--data", "DATA")]
    [InlineData("--task piqa needs --data", "--task", "piqa")]
    [InlineData("no file of the task pika; expected pika.jsonl", "--task", "pika", "--data", "DATA")]
    [InlineData("did you mean 'piqa'?", "--task", "pika", "--data", "DATA")]
    [InlineData("/no/folder: there is no such folder", "--task", "piqa", "--data", "/no/folder")]
    [InlineData("99 tokens is longer than the 64 positions", "--task", "piqa", "--data", "DATA", "--context", "99")]
    [InlineData("/no/file: there is no such file", "--task", "piqa", "--data", "DATA", "--against", "/no/file")]
    [InlineData("--predictions and --against both name same", "--task", "piqa", "--data", "DATA", "--against", "same", "--predictions", "same")]
    public void WhatCannotBeEvaluatedIsNamed(string message, params string[] arguments)
    {
        string data = Tasks();
        string error = Fails(["eval", "--model", _model.Path, .. arguments.Select(a => a == "DATA" ? data : a)]);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void APromptThatIsNoTextIsNamed()
    {
        string file = _folder.Write("prompt.txt", "caf"u8);
        File.AppendAllText(file, "\u00E9", Encoding.Latin1);
        Assert.Contains($"{file} is not UTF-8 text", Fails("generate", "--model", _model.Path, "--prompt-file", file), StringComparison.Ordinal);
        Capture piped = Capture.Run(new MemoryStream([0x61, 0xE9]), "generate", "--model", _model.Path, "-");
        Assert.Equal((1, "error: standard input is not UTF-8 text; save the prompt as UTF-8\n"), (piped.ExitCode, piped.Error));
    }

    /// <summary>The training text in the place of a test part would be measured without a word.</summary>
    [Fact]
    public void APartThatIsNotThereIsNotReplacedByAnother()
    {
        _folder.Write("corpus/train.txt", "It is a truth."u8.ToArray());
        string[] eval = ["eval", "--model", _model.Path, "--task", "perplexity", "--data", _folder["corpus"]];
        Assert.Contains($"{_folder["corpus"]} has no test part; it has train: choose with --split", Fails([.. eval, "--split", "test"]), StringComparison.Ordinal);
        Assert.Equal(0, Capture.Run([.. eval, "--split", "train"]).ExitCode);
    }

    [Fact]
    public void AModelThatIsNoFolderIsNamed() =>
        Assert.Contains("'/dev/null' is a file", Fails("generate", "--model", "/dev/null", "text"), StringComparison.Ordinal);

    [Fact]
    public void AWindowOfAnySizeTimesAnyNumberOfRowsIsMeasured()
    {
        string text = _folder.Write("text.txt", "It is a truth universally acknowledged."u8.ToArray());
        string[] eval = ["eval", "--model", _model.Student, "--task", "perplexity", "--data", text];
        Capture usual = Capture.Run(eval), wide = Capture.Run([.. eval, "--batch-size", "65536", "--context", "1000000"]);
        Assert.Equal(("", 0), (wide.Error, wide.ExitCode));
        Assert.Equal(usual.Out.Split('\n')[0], wide.Out.Split('\n')[0]);
    }

    [Fact]
    public void PerplexityIsThatOfAllDocuments()
    {
        string text = _folder.Write("corpus/valid.txt", "One document of two lines,\nthis being the second.\n\nAnother document: näher an 42.\n"u8);
        string[] arguments = ["eval", "--model", _model.Path, "--task", "perplexity", "--json", "--data"];
        JsonElement[] rows = Rows([.. arguments, text]);
        Assert.Equal(["perplexity", "bits_per_byte", "bits_per_character", "loss"], rows.Select(r => r.GetProperty("metric").GetString()));
        double perplexity = Value(rows, 0), bytes = Value(rows, 1), characters = Value(rows, 2), loss = Value(rows, 3);
        int tokens = rows[0].GetProperty("tokens").GetInt32();
        Assert.Equal(Math.Exp(loss), perplexity, 1e-9 * perplexity);
        Assert.Equal(loss * tokens / Math.Log(2) / 80, bytes, 1e-9);
        Assert.Equal(bytes * 80 / 79, characters, 1e-9);
        Assert.Equal((2, 80), (rows[0].GetProperty("examples").GetInt32(), rows[0].GetProperty("bytes").GetInt32()));

        // The folder's validation part, and batches, are the same; windows are not.
        Assert.Equal(perplexity, Value(Rows([.. arguments, _folder["corpus"], "--batch-size", "1"]), 0), 1e-4 * perplexity);
        Assert.NotEqual(perplexity, Value(Rows([.. arguments, text, "--context", "4"]), 0), 1e-4 * perplexity);
        Assert.Equal(1, Rows([.. arguments, text, "--limit", "1"])[0].GetProperty("examples").GetInt32());
        Assert.Contains("/no/text", Fails([.. arguments, "/no/text"]), StringComparison.Ordinal);

        // The same documents as stored ids.
        using (IndexedDatasetWriter writer = IndexedDatasetWriter.Create(_folder["stored"], IndexedElementType.UInt16))
        {
            foreach (string document in File.ReadAllText(text).TrimEnd().Split("\n\n"))
            {
                writer.AddSequence(_model.Tokenizer.EncodePlain(document));
                writer.EndDocument();
            }

            writer.Complete();
        }

        JsonElement[] stored = Rows([.. arguments, _folder["stored.idx"]]);
        Assert.Equal(perplexity, Value(stored, 0), 1e-4 * perplexity);
        Assert.Equal(80, stored[0].GetProperty("bytes").GetInt32());

        static JsonElement[] Rows(string[] arguments)
        {
            Capture run = Capture.Run(arguments);
            Assert.Equal(("", 0), (run.Error, run.ExitCode));
            return [.. run.Out.TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        }

        static double Value(JsonElement[] rows, int index) => rows[index].GetProperty("value").GetDouble();
    }

    [Fact]
    public void GeneratedTextDependsOnTheSeedAlone()
    {
        string[] greedy = ["generate", "--model", _model.Path, "The answer is", "--max-new-tokens", "12"];
        Capture first = Capture.Run(greedy);
        Assert.Equal(0, first.ExitCode);
        Assert.Equal(first.Out, Capture.Run(greedy).Out);
        Assert.Matches(@"^\d+ \+ 12 tokens \(length\) · first token after \d+ ms · [\d.]+ tokens/s · state [\d.,]+ KiB\s*$", first.Error);
        Assert.Empty(Capture.Run([.. greedy, "--quiet"]).Error);

        string[] drawn = [.. greedy, "--temperature", "1.5", "--top-k", "400", "--top-p", "0.98", "--seed"];
        Assert.Equal(Capture.Run([.. drawn, "3"]).Out, Capture.Run([.. drawn, "3"]).Out);
        Assert.NotEqual(Capture.Run([.. drawn, "3"]).Out, Capture.Run([.. drawn, "4"]).Out);

        string file = _folder.Write("prompt.txt", "The answer is"u8);
        Capture json = Capture.Run("generate", "--model", _model.Path, "--prompt-file", file, "--max-new-tokens", "12", "--json");
        JsonElement row = JsonDocument.Parse(json.Out).RootElement;
        Assert.Equal(first.Out, row.GetProperty("text").GetString() + Environment.NewLine);
        Assert.Equal((12, "length"), (row.GetProperty("new_tokens").GetInt32(), row.GetProperty("end").GetString()));
        Assert.True(row.GetProperty("state_bytes").GetInt64() > 0);
        Assert.Empty(json.Error);
    }

    [Fact]
    public void TextEndsBeforeAStopString()
    {
        string[] arguments = ["generate", "--model", _model.Path, "The answer is", "--max-new-tokens", "20", "--json"];
        string whole = Text(arguments, "length");
        string stop = whole[5..9];
        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], Text([.. arguments, "--stop", "never to be found", "--stop", stop], "stop"));

        static string Text(string[] arguments, string end)
        {
            JsonElement row = JsonDocument.Parse(Capture.Run(arguments).Out).RootElement;
            Assert.Equal(end, row.GetProperty("end").GetString());
            return row.GetProperty("text").GetString()!;
        }
    }

    [Fact]
    public void AStudentTakesAnyLength()
    {
        string student = _model.Student;
        JsonElement row = JsonDocument.Parse(Capture.Run("generate", "--model", student, "The answer is", "--max-new-tokens", "150", "--ignore-end", "--json").Out).RootElement;
        Assert.Equal(150, row.GetProperty("new_tokens").GetInt32());
        Capture one = Capture.Run("generate", "--model", student, "The answer is", "--max-new-tokens", "1", "--ignore-end", "--json");
        Assert.Equal(row.GetProperty("state_bytes").GetInt64(), JsonDocument.Parse(one.Out).RootElement.GetProperty("state_bytes").GetInt64());

        // Chunks of a batch's tokens through the state, or all at once.
        string text = _folder.Write("long.txt", Encoding.UTF8.GetBytes(string.Join(' ', Enumerable.Range(0, 1500))));
        string[] arguments = ["eval", "--model", student, "--task", "perplexity", "--data", text, "--json"];
        JsonElement whole = JsonDocument.Parse(Capture.Run(arguments).Out.Split('\n')[0]).RootElement;
        JsonElement chunks = JsonDocument.Parse(Capture.Run([.. arguments, "--batch-size", "1"]).Out.Split('\n')[0]).RootElement;
        Assert.True(whole.GetProperty("tokens").GetInt32() > 2048, "the text is no longer than a chunk: the test shows nothing");
        Assert.Equal("student", whole.GetProperty("mode").GetString());
        Assert.Equal(whole.GetProperty("value").GetDouble(), chunks.GetProperty("value").GetDouble(), 1e-4 * whole.GetProperty("value").GetDouble());
    }

    [Fact]
    public void PositionsAreTimed()
    {
        string error = Fails("generate", "--model", _model.Path, "--benchmark-positions");
        Assert.Contains("64 positions of this GPTNeoXForCausalLM are too few", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no prompt given")]
    [InlineData("the prompt is empty", "")]
    [InlineData("a prompt and --prompt-file were given", "text", "--prompt-file", "other")]
    [InlineData("60 new ones are more than the 64 positions", "one two three four five six seven eight", "--max-new-tokens", "60")]
    [InlineData("the first must not be negative or above the second", "text", "--min-new-tokens", "9", "--max-new-tokens", "8")]
    [InlineData("an empty stop string", "text", "--stop", "")]
    [InlineData("--prompt-file /no/file does not exist", "--prompt-file", "/no/file")]
    [InlineData("--prompt-file / is a folder", "--prompt-file", "/")]
    public void WhatCannotBeContinuedIsNamed(string message, params string[] arguments) =>
        Assert.Contains(message, Fails(["generate", "--model", _model.Path, .. arguments]), StringComparison.Ordinal);

    [Fact]
    public void AClassifierCannotContinueAText() =>
        Assert.Contains("has a classifier of texts, which cannot continue a text", Fails("generate", "--model", TestFiles.InCheckout("weights/roberta-tiny"), "text"), StringComparison.Ordinal);

    [Theory]
    [InlineData("--top-p", "1.5")]
    [InlineData("--temperature", "-1")]
    [InlineData("--top-k", "0")]
    [InlineData("--repetition-penalty", "0")]
    public void NumbersOutOfRangeAreWrongUsage(string option, string value)
    {
        Capture run = Capture.Run("generate", "--model", _model.Path, "text", option, value);
        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith($"error: {option}: '{value}' is not allowed; give a", run.Error, StringComparison.Ordinal);
    }

    private static string Fails(params string[] arguments)
    {
        Capture run = Capture.Run(arguments);
        Assert.Equal((1, ""), (run.ExitCode, run.Out));
        Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
        return run.Error;
    }

    private string Tasks()
    {
        _folder.Write("data/piqa.jsonl", Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 3).Select(
            i => $"{{\"query\":\"Question: what is number {i}?\",\"choices\":[\"a small one\",\"one of many others\"],\"gold\":{i % 2}}}\n"))));
        _folder.Write("data/lambada_openai.jsonl", Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 2).Select(
            i => $"{{\"context\":\"It was a dark and stormy {i}\",\"continuation\":\"night\"}}\n"))));
        return _folder["data"];
    }

    /// <summary>A GPT-NeoX of one layer and 64 positions with the tokenizer of the models that travel with the program, and a student of that form.</summary>
    public sealed class RandomModel : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public RandomModel()
        {
            GptNeoXConfig config = new()
            {
                VocabularySize = Tokenizer.VocabularySize,
                HiddenSize = 16,
                Layers = 1,
                Heads = 2,
                IntermediateSize = 32,
                MaximumPositions = 64,
                InitialiserRange = 0.5,
            };
            Parameters = Save(config, Path);
            Save(config with { Mamba = MambaConfig.For(16) }, Student);
        }

        public Tokenizer Tokenizer { get; } = Tokenizer.Load(TestFiles.InCheckout("weights/roberta-tiny"));

        public string Path => _folder["model"];

        /// <summary>The same with Mamba mixers.</summary>
        public string Student => _folder["student"];

        public long Parameters { get; }

        public void Dispose() => _folder.Dispose();

        private long Save(GptNeoXConfig config, string folder)
        {
            using LayeredLanguageModel model = LanguageModelFiles.Build(config, BuildContext.For(Device.Parse("cpu"), 3));
            LanguageModelFiles.Save(model, folder, Tokenizer.Save);
            return model.ParameterCount();
        }
    }
}
