using System.Text.Json;
using LinearCald.Data.Audio;
using LinearCald.Data.Speech;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;

namespace LinearCald.Cli.Tests;

/// <summary>`cald transcribe` and `cald eval` on speech: the tiny teacher on spoken digits, and models with random weights.</summary>
public sealed class SpeechCommandTests : IClassFixture<SpeechCommandTests.RandomModels>, IDisposable
{
    private static readonly string Teacher = TestFiles.InCheckout("weights/wav2vec2-tiny");

    private readonly RandomModels _models;
    private readonly TemporaryFolder _folder = new();

    public SpeechCommandTests(RandomModels models) => _models = models;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ARecordingIsTextJsonOrSubtitles()
    {
        string clip = Path.Combine(SampleSpeech.Folder, "flac", "test-026-gb_f3.flac");
        double seconds = AudioFile.Probe(clip).Seconds;
        string[] arguments = ["transcribe", "--model", Teacher, clip];
        Capture text = Capture.Run(arguments);
        Assert.Equal(0, text.ExitCode);
        Assert.Single(text.Out.TrimEnd('\n').Split('\n'));
        Assert.Matches(@"^1 recording, [\d.]+ s of audio in [\d.]+ s: real-time factor [\d.]+\s*$", text.Error);

        Capture json = Capture.Run([.. arguments, "--json", "--quiet"]);
        Assert.Empty(json.Error);
        JsonElement row = JsonDocument.Parse(json.Out).RootElement;
        Assert.Equal((clip, text.Out.TrimEnd('\n'), Math.Round(seconds, 3)), (row.GetProperty("file").GetString(), row.GetProperty("text").GetString(), row.GetProperty("seconds").GetDouble()));
        Assert.Equal((Teacher, "cpu"), (row.GetProperty("model").GetString(), row.GetProperty("device").GetString()));
        JsonElement[] words = [.. row.GetProperty("words").EnumerateArray()];
        Assert.Equal(row.GetProperty("text").GetString(), string.Join(' ', words.Select(w => w.GetProperty("word").GetString())));
        Assert.True(words.Length > 1, "nothing was heard: the test shows nothing");

        Capture srt = Capture.Run([.. arguments, "--format", "srt"]);
        Assert.StartsWith("1\n00:00:0", srt.Out, StringComparison.Ordinal);
        Assert.EndsWith("\n\n", srt.Out, StringComparison.Ordinal);
        Assert.Equal(string.Concat(words.Select(w => w.GetProperty("word").GetString())), string.Concat(srt.Out.Split('\n').Where(l => !l.Contains("-->", StringComparison.Ordinal) && !l.All(char.IsAsciiDigit))).Replace(" ", "", StringComparison.Ordinal));
    }

    [Fact]
    public void SeveralRecordingsComeInOrderAndStandardInputIsOne()
    {
        string first = Clip("a.wav", 20_000), second = Clip("b.wav", 9_000);
        string alone = Capture.Run("transcribe", "--model", _models.Student, second).Out;
        Capture both = Capture.Run("transcribe", "--model", _models.Student, first, second);
        string[] lines = both.Out.TrimEnd('\n').Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.StartsWith($"{first}: ", lines[0], StringComparison.Ordinal);
        Assert.Equal($"{second}: {alone.TrimEnd('\n')}", lines[1]);

        using FileStream input = File.OpenRead(second);
        Capture stdin = Capture.Run(input, "transcribe", "--model", _models.Student, "-");
        Assert.Equal((alone, 0), (stdin.Out, stdin.ExitCode));

        string output = _folder["texts"];
        using FileStream again = File.OpenRead(second);
        Capture files = Capture.Run(again, "transcribe", "--model", _models.Student, first, "-", "--out", output, "--format", "srt");
        Assert.Equal(("", 0), (files.Out, files.ExitCode));
        Assert.Equal(["a.srt", "stdin.srt"], Directory.GetFiles(output).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Contains("-->", File.ReadAllText(Path.Combine(output, "stdin.srt")), StringComparison.Ordinal);
    }

    [Fact]
    public void ABadRecordingDoesNotStopTheOthers()
    {
        string good = Clip("good.wav", 9_000), brief = Clip("brief.wav", 160), text = _folder.Write("notes.txt", "not a sound at all"u8);
        Capture run = Capture.Run("transcribe", "--model", _models.Student, text, good, brief, _folder["missing.wav"], "--json");
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(good, JsonDocument.Parse(run.Out).RootElement.GetProperty("file").GetString());
        string[] errors = [.. run.Error.Split('\n').Where(l => l.StartsWith("error: ", StringComparison.Ordinal))];
        Assert.Equal(3, errors.Length);
        Assert.Contains($"{text}", errors[0], StringComparison.Ordinal);
        Assert.Contains($"{brief}: 160 samples at 16000 Hz (0.01 s) are fewer than the 400", errors[1], StringComparison.Ordinal);
        Assert.Contains("missing.wav", errors[2], StringComparison.Ordinal);
        Assert.Contains("3 could not be read", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("has a classifier of texts, which does not hear", "TEXT", "CLIP")]
    [InlineData("has a speech model without a CTC head", "CLASSIFIER", "CLIP")]
    [InlineData("no-such-model does not exist", "no-such-model", "CLIP")]
    [InlineData("--json and --format srt exclude each other", "STUDENT", "CLIP", "--json", "--format", "srt")]
    [InlineData("subtitles of several recordings need a file each: give --out", "STUDENT", "CLIP", "CLIP", "--format", "srt")]
    [InlineData("would both be written to", "STUDENT", "CLIP", "CLIP", "--out", "OUT")]
    [InlineData("standard input (-) can be read once only", "STUDENT", "-", "-")]
    [InlineData("--lm-weight was given without a language model", "STUDENT", "CLIP", "--lm-weight", "1")]
    [InlineData("no.arpa", "STUDENT", "CLIP", "--lm", "/no/no.arpa")]
    [InlineData("/no/file.wav", "STUDENT", "/no/file.wav")]
    [InlineData("error: / is a folder; name the audio files in it", "STUDENT", "/")]
    [InlineData("error: an audio file without a name was given", "STUDENT", "")]
    [InlineData("error: / is a folder; name the file in it", "STUDENT", "CLIP", "--lm", "/")]
    [InlineData("is a file; give a folder", "STUDENT", "CLIP", "--out", "CLIP")]
    public void WhatCannotBeTranscribedIsNamed(string message, string model, params string[] arguments)
    {
        string clip = Clip("clip.wav", 8_000);
        string folder = model switch { "TEXT" => TestFiles.InCheckout("weights/roberta-tiny"), "CLASSIFIER" => _models.Classifier, "STUDENT" => _models.Student, _ => model };
        Assert.Contains(message, Fails(["transcribe", "--model", folder, .. arguments.Select(a => a switch { "CLIP" => clip, "OUT" => _folder["out"], _ => a })]), StringComparison.Ordinal);
    }

    [Fact]
    public void ABeamAndALanguageModelDecodeToo()
    {
        string clip = Clip("clip.wav", 12_000);
        string arpa = _folder.Write("words.arpa", "\\data\\\nngram 1=4\n\n\\1-grams:\n-1 <s>\n-1 </s>\n-1 <unk>\n-0.5 zero\n\n\\end\\\n"u8);
        string[] arguments = ["transcribe", "--model", _models.Student, clip, "--json"];
        double greedy = Probability(arguments), beam = Probability([.. arguments, "--beam", "8"]);
        Assert.True(beam > greedy, $"all alignments of the best text ({beam}) are likelier than the best alignment ({greedy})");
        Assert.Equal(0, Capture.Run([.. arguments, "--lm", arpa, "--lm-weight", "0.3", "--word-bonus", "-1"]).ExitCode);

        static double Probability(string[] arguments) => JsonDocument.Parse(Capture.Run(arguments).Out).RootElement.GetProperty("log_probability").GetDouble();
    }

    [Fact]
    public void TheTeacherIsEvaluatedOnTheDigits()
    {
        string predictions = _folder["predictions.jsonl"];
        string[] arguments = ["eval", "--model", Teacher, "--task", "speech-recognition", "--format", "speech-sample", "--split", "test", "--limit", "6"];
        JsonElement[] rows = [.. Lines([.. arguments, "--json", "--predictions", predictions]).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(["wer", "cer", "loss"], rows.Select(r => r.GetProperty("metric").GetString()));
        Assert.All(rows, r => Assert.Equal(("teacher", "test", 6), (r.GetProperty("mode").GetString(), r.GetProperty("split").GetString(), r.GetProperty("examples").GetInt32())));
        Assert.All(rows, r => Assert.True(r.GetProperty("parameters").GetInt64() > 900_000 && r.GetProperty("seconds").GetDouble() > 0));
        Assert.InRange(rows[1].GetProperty("value").GetDouble(), 0.05, 0.9); // it hears something in speech of half its bandwidth
        JsonElement[] said = [.. File.ReadLines(predictions).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(6, said.Length);
        double words = said.Sum(s => s.GetProperty("words").GetDouble()), errors = said.Sum(s => s.GetProperty("substitutions").GetDouble() + s.GetProperty("insertions").GetDouble() + s.GetProperty("deletions").GetDouble());
        Assert.Equal(errors / words, rows[0].GetProperty("value").GetDouble(), 1e-12);
        Assert.Equal(words, rows[0].GetProperty("reference").GetDouble());

        string text = string.Join('\n', Lines([.. arguments, "--worst", "2"]));
        Assert.Contains("6 utterances, ", text, StringComparison.Ordinal);
        Assert.Equal(2, text.Split('\n').Count(l => l.StartsWith("REF: ", StringComparison.Ordinal)));
        Assert.Contains("6 test utterances", text, StringComparison.Ordinal);
    }

    [Fact]
    public void AClassifierIsEvaluatedByTarget()
    {
        string[] arguments = ["eval", "--model", _models.Classifier, "--format", "speech-sample", "--limit", "5"];
        JsonElement[] rows = [.. Lines([.. arguments, "--json"]).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(["accuracy", "joint-accuracy", "loss"], rows.Select(r => r.GetProperty("metric").GetString()));
        Assert.All(rows, r => Assert.Equal("student", r.GetProperty("mode").GetString()));
        Assert.StartsWith("accuracy", Lines(arguments)[0], StringComparison.Ordinal);
        Assert.Contains("--target names 2", Fails([.. arguments, "--target", "speaker", "--target", "mood"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("needs --data FOLDER")]
    [InlineData("--task is speech-recognition (or left out), not speech-classification", "--task", "speech-classification", "--format", "speech-sample")]
    [InlineData("takes no --data", "--format", "speech-sample", "--data", "x")]
    [InlineData("/no/corpus does not exist", "--data", "/no/corpus")]
    public void WhatCannotBeEvaluatedIsNamed(string message, params string[] arguments) =>
        Assert.Contains(message, Fails(["eval", "--model", _models.Student, .. arguments]), StringComparison.Ordinal);

    /// <summary>Hours of computing are not spent before it turns out that their result cannot be kept.</summary>
    [Fact]
    public void PredictionsThatCannotBeWrittenAreRefusedFirst()
    {
        string[] eval = ["eval", "--model", _models.Student, "--format", "speech-sample", "--limit", "2", "--predictions"];
        Directory.CreateDirectory(_folder["taken"]);
        Assert.StartsWith($"error: Cannot write {_folder["taken"]}: it is a folder", Fails([.. eval, _folder["taken"]]), StringComparison.Ordinal);
        Assert.StartsWith($"error: Cannot write {_folder["none/p.jsonl"]}: ", Fails([.. eval, _folder["none/p.jsonl"]]), StringComparison.Ordinal);

        // An evaluation that fails leaves an earlier file as it was, and no other.
        string earlier = _folder.Write("p.jsonl", "earlier"u8.ToArray());
        Fails(["eval", "--model", _models.Student, "--data", "/no/corpus", "--predictions", earlier]);
        Assert.Equal("earlier", File.ReadAllText(earlier));
        Assert.Equal(0, Capture.Run([.. eval, earlier]).ExitCode);
        Assert.Equal(2, File.ReadAllLines(earlier).Length);
        Assert.Equal([earlier], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void OfNoRecordingThereIsNoRealTimeFactor()
    {
        string[] bad = [_folder.Write("a.wav", [1, 2, 3]), _folder.Write("b.wav", [4])];
        Capture run = Capture.Run(["transcribe", "--model", _models.Student, .. bad]);
        Assert.Equal((1, ""), (run.ExitCode, run.Out));
        Assert.EndsWith("0 recordings, 0.0 s of audio in 0.00 s; 2 could not be read\n", run.Error, StringComparison.Ordinal);
    }

    private static string[] Lines(string[] arguments)
    {
        Capture run = Capture.Run(arguments);
        Assert.Equal(("", 0), (run.Error, run.ExitCode));
        return run.Out.TrimEnd('\n').Split('\n');
    }

    private static string Fails(params string[] arguments)
    {
        Capture run = Capture.Run(arguments);
        Assert.Equal((1, ""), (run.ExitCode, run.Out));
        Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
        return run.Error;
    }

    private string Clip(string name, int samples)
    {
        Random random = new(samples);
        WavWriter.Write(_folder[name], [.. Enumerable.Range(0, samples).Select(i => (float)((random.NextDouble() - 0.5) * Math.Sin(i / 300.0)))], 16_000);
        return _folder[name];
    }

    /// <summary>A recogniser with Mamba-2 mixers and a classifier, both with random weights.</summary>
    public sealed class RandomModels : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public RandomModels()
        {
            CharacterVocabulary vocabulary = CharacterVocabulary.FromTranscripts(["zero one two three four five six seven eight nine"]);
            Wav2Vec2Config config = TinySpeech.Config(student: true) with { VocabularySize = vocabulary.Size, Layers = 1 };
            BuildContext context = BuildContext.For(TinySpeech.Device, 3);
            using Wav2Vec2ForCTC recogniser = new(context, config);
            Wav2Vec2Files.Save(recogniser, Student, vocabulary.Save);
            string[] voices = [.. SampleSpeech.Read(new SpeechOptions { Targets = ["speaker"] }).Targets[0].Classes];
            using Wav2Vec2ForSequenceClassification classifier = new(context, config with { Targets = [new ClassificationTarget("speaker", voices)] });
            Wav2Vec2Files.Save(classifier, Classifier);
        }

        public string Student => _folder["student"];

        public string Classifier => _folder["classifier"];

        public void Dispose() => _folder.Dispose();
    }
}
