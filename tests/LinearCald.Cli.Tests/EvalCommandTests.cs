using System.Text.Json.Nodes;
using LinearCald.Data.Tasks;
using LinearCald.Models.Linformer;
using LinearCald.Models.Roberta;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Cli.Tests;

/// <summary>`cald eval` on students of every kind, and what it says of models and options that it cannot use.</summary>
public sealed class EvalCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ALinformerIsAClassifier()
    {
        Capture run = Capture.Run("eval", "--model", Linformer(), "--set", "task.max_eval_rows=4", "--json");
        Assert.Equal(("", 0), (run.Error, run.ExitCode));
        JsonObject[] rows = [.. run.Out.TrimEnd().Split('\n').Select(line => JsonNode.Parse(line)!.AsObject())];
        Assert.Equal(["accuracy", "f1", "matthews", "loss"], rows.Select(row => row["metric"]!.GetValue<string>()));
        Assert.All(rows, row => Assert.Equal(("student", 4), (row["mode"]!.GetValue<string>(), row["examples"]!.GetValue<int>())));
    }

    [Theory]
    [InlineData("\"bert\"")]
    [InlineData("3")]
    [InlineData("[\"roberta\"]")]
    [InlineData(null)]
    public void AModelOfAnotherTypeIsNamed(string? type)
    {
        string path = _folder.Write("model/config.json", System.Text.Encoding.UTF8.GetBytes(type is null ? "{}" : $"{{\"model_type\": {type}}}"));
        string expected = $"error: {path}: model_type is {type ?? "missing"}; models of these types are read: roberta, cald_roberta_linformer, gpt_neox,";
        foreach (string[] command in (string[][])[["eval"], ["generate", "text"], ["transcribe", "clip.wav"]])
            Assert.StartsWith(expected, Fails([.. command, "--model", _folder["model"]]), StringComparison.Ordinal);
    }

    /// <summary>Given and without effect, they would leave the user with another figure than was asked for.</summary>
    [Theory]
    [InlineData("--limit does not go with", "roberta-tiny", "--limit", "3")]
    [InlineData("--set task.max_eval_rows=N", "roberta-tiny", "--limit", "3")]
    [InlineData("--predictions does not go with", "roberta-tiny", "--predictions", "p.jsonl")]
    [InlineData("--beam does not go with", "roberta-tiny", "--beam", "3")]
    [InlineData("--format does not go with", "pythia-tiny", "--format", "slurp")]
    [InlineData("--set does not go with", "pythia-tiny", "--set", "task.max_eval_rows=3")]
    [InlineData("--predictions is for zero-shot tasks", "pythia-tiny", "--task", "perplexity", "--data", "x.txt", "--predictions", "p.jsonl")]
    [InlineData("--against is for zero-shot tasks", "pythia-tiny", "--task", "perplexity", "--data", "x.txt", "--against", "p.jsonl")]
    [InlineData("--context does not go with", "wav2vec2-tiny", "--context", "3")]
    [InlineData("--target does not go with", "wav2vec2-tiny", "--target", "speaker")]
    public void AnOptionWithoutEffectIsAMistake(string message, string model, params string[] options)
    {
        Assert.Contains(message, Fails(["eval", "--model", TestFiles.InCheckout($"weights/{model}"), .. options]), StringComparison.Ordinal);
    }

    private static string Fails(params string[] arguments)
    {
        Capture run = Capture.Run(arguments);
        Assert.Equal((1, ""), (run.ExitCode, run.Out));
        Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("internal error", run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
        return run.Error;
    }

    /// <summary>A student with random weights for the task of the demo.</summary>
    private string Linformer()
    {
        RobertaConfig config = new()
        {
            VocabularySize = 4096,
            HiddenSize = 16,
            Layers = 1,
            Heads = 2,
            IntermediateSize = 32,
            MaximumPositions = 514,
            Labels = TaskLoader.Load(new TaskOptions()).Labels,
            Linformer = new LinformerConfig(8, ProjectionSharing.Kv, 512),
        };
        using RobertaForSequenceClassification student = new(BuildContext.For(Device.Parse("cpu"), 3), config);
        RobertaFiles.Save(student, _folder["student"]);
        foreach (string file in (string[])["tokenizer.json", "vocab.json", "merges.txt"])
            File.Copy(TestFiles.InCheckout($"weights/roberta-tiny/{file}"), _folder[$"student/{file}"]);
        return _folder["student"];
    }
}
