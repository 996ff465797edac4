using System.Text.Json.Nodes;

namespace LinearCald.Cli.Tests;

/// <summary>Whatever is wrong with what the user brings gets one error that names it; nothing is written.</summary>
public sealed class BadInputTests : IDisposable
{
    private static readonly string Source = TestFiles.InCheckout("weights/roberta-tiny");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TruncatedWeights()
    {
        string model = CopyOfSource();
        string weights = Path.Combine(model, "model.safetensors");
        byte[] bytes = File.ReadAllBytes(weights);
        File.WriteAllBytes(weights, bytes[..(bytes.Length / 2)]);
        string error = Fails("finetune", "demo", "--set", $"model.source={model}");
        Assert.Contains(weights, error, StringComparison.Ordinal);
        Assert.Contains("cut short", error, StringComparison.Ordinal);
    }

    [Fact]
    public void MissingAndMisshapenParametersAreAllListed()
    {
        string model = CopyOfSource();
        ChangeJson(Path.Combine(model, "config.json"), config =>
        {
            config["num_hidden_layers"] = 5;
            config["intermediate_size"] = 500;
        });
        string error = Fails(lines: 1 + 16 + 12, "finetune", "demo", "--set", $"model.source={model}");
        Assert.Contains(model, error, StringComparison.Ordinal);
        foreach (string part in (string[])["query.weight", "query.bias", "key.weight", "value.bias"])
            Assert.Contains($"roberta.encoder.layer.4.attention.self.{part}", error, StringComparison.Ordinal);
        for (int layer = 0; layer < 4; layer++)
        {
            string line = error.Split('\n').Single(l => l.Contains($"roberta.encoder.layer.{layer}.intermediate.dense.weight", StringComparison.Ordinal));
            Assert.Contains("[500, 128]", line, StringComparison.Ordinal);
            Assert.Contains("[512, 128]", line, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void PickledWeights()
    {
        string model = CopyOfSource();
        File.Move(Path.Combine(model, "model.safetensors"), Path.Combine(model, "pytorch_model.bin"));
        string error = Fails("finetune", "demo", "--set", $"model.source={model}");
        Assert.Contains("pytorch_model.bin", error, StringComparison.Ordinal);
        Assert.Contains("safetensors", error, StringComparison.Ordinal);
    }

    [Fact]
    public void TokenizerOfUnknownType()
    {
        string model = CopyOfSource();
        string tokenizer = Path.Combine(model, "tokenizer.json");
        ChangeJson(tokenizer, json => json["model"]!["type"] = "Unigram");
        string error = Fails("finetune", "demo", "--set", $"model.source={model}");
        Assert.Contains(tokenizer, error, StringComparison.Ordinal);
        Assert.Contains("Unigram", error, StringComparison.Ordinal);
        Assert.Contains("BPE", error, StringComparison.Ordinal);
    }

    [Fact]
    public void LabelOutsideTheClasses()
    {
        string data = Tsv("good text\tyes\nbad text\tno\nodd text\tperhaps\n", "text\tyes\n");
        string error = Fails("finetune", "demo", "--data", data, "--set", "task.kind=tsv", "--set", "task.labels=[yes, no]");
        Assert.Contains($"{Path.Combine(data, "train.tsv")}:3", error, StringComparison.Ordinal);
        Assert.Contains("perhaps", error, StringComparison.Ordinal);
    }

    [Fact]
    public void LabelThatOnlyTheValidationPartHas()
    {
        string data = Tsv("good text\tyes\nbad text\tno\n", "text\tyes\ntext\tperhaps\n");
        string error = Fails("finetune", "demo", "--data", data, "--set", "task.kind=tsv");
        Assert.Contains(":2", error, StringComparison.Ordinal);
        Assert.Contains("perhaps", error, StringComparison.Ordinal);
    }

    [Fact]
    public void EmptyFile()
    {
        string data = Tsv("", "text\tyes\n");
        string error = Fails("finetune", "demo", "--data", data, "--set", "task.kind=tsv");
        Assert.Contains(Path.Combine(data, "train.tsv"), error, StringComparison.Ordinal);
        Assert.Contains("empty", error, StringComparison.Ordinal);
    }

    [Fact]
    public void TextLongerThanTheModel() =>
        Assert.Contains("task.max_length 600 is beyond the model's 512 tokens", Fails("finetune", "demo", "--set", "task.max_length=600"), StringComparison.Ordinal);

    [Fact]
    public void MissingFolders()
    {
        Assert.Contains("/no/model", Fails("finetune", "demo", "--set", "model.source=/no/model"), StringComparison.Ordinal);
        Assert.Contains("/no/teacher", Fails("convert", "demo", "--mode", "target", "--teacher", "/no/teacher"), StringComparison.Ordinal);
        Assert.Contains("/no/data", Fails("finetune", "demo", "--set", "task.kind=sst2", "--data", "/no/data"), StringComparison.Ordinal);
        Assert.Contains("/no/model", Fails("eval", "--model", "/no/model"), StringComparison.Ordinal);
        Assert.Contains("/no/fixtures", Fails("verify", "/no/fixtures"), StringComparison.Ordinal);
    }

    [Fact]
    public void ALanguageModelCannotBeEvaluatedAsAClassifier()
    {
        string error = Fails("eval", "--model", Source);
        Assert.Contains($"{Source} is no classifier", error, StringComparison.Ordinal);
    }

    [Fact]
    public void ANameThatIsNoFolders()
    {
        Capture run = Capture.Run("convert", "demo", "--mode", "unguided", "--set", "name=a\0b");
        Assert.Equal((1, ""), (run.ExitCode, run.Out));
        Assert.Matches("^error: the recipe's name '.*' cannot be that of a folder; set another name, or name the run folder with --out\n$", run.Error);
    }

    [Fact]
    public void ARunFolderThatIsAFile()
    {
        string file = _folder.Write("file", [1]);
        Capture run = Capture.Run("finetune", "demo", "--out", file, "--set", "task.max_train_rows=16", "--set", "task.max_eval_rows=16");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"Cannot use {file} as run folder: it is a file", run.Error, StringComparison.Ordinal);
        Assert.Equal([1], File.ReadAllBytes(file));
    }

    [Theory]
    [InlineData(1, "unknown key 'lrr' in section 'teacher'; did you mean 'lr'?", "finetune", "demo", "--set", "teacher.lrr=1")]
    [InlineData(1, "no recipe 'dmo'", "convert", "dmo")]
    [InlineData(1, "--mode targt is not known; modes are unguided, target,", "convert", "demo", "--mode", "targt")]
    [InlineData(1, "'nothing'", "compare", "demo", "--only", "nothing")]
    [InlineData(1, "training.gradient_accumulation 5 does not divide training.batch_size 16", "convert", "demo", "--set", "training.gradient_accumulation=5")]
    [InlineData(1, "precision", "finetune", "demo", "--precision", "bf16")]
    [InlineData(2, "--device: 'tpu' is not allowed; give cpu, cuda, cuda:N or debug", "convert", "demo", "--device", "tpu")]
    [InlineData(2, "--threads: '0' is not allowed; give a whole number from 1 to 1024", "convert", "demo", "--threads", "0")]
    [InlineData(2, "unknown option '--treads'; did you mean '--threads'?", "convert", "demo", "--treads", "2")]
    [InlineData(2, "Required argument 'RECIPE' missing", "convert")]
    public void MistakesOnTheCommandLine(int exitCode, string part, params string[] arguments)
    {
        Capture run = Capture.Run(exitCode == 1 ? [.. arguments, "--out", _folder["run"]] : arguments);
        Assert.Equal(exitCode, run.ExitCode);
        Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
        Assert.Contains(part, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
        Assert.Empty(run.Out);
        Assert.False(Directory.Exists(_folder["run"]));
    }

    [Fact]
    public void JsonOutputIsJsonLinesOnlyAndRedirectedProgressIsSilent()
    {
        Capture run = Capture.Run(
            "convert", "demo", "--mode", "unguided", "--out", _folder["run"], "--json", "--set", "task.max_train_rows=16", "--set", "task.max_eval_rows=16", "--set", "training.epochs=1");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal("unguided", JsonNode.Parse(Assert.Single(run.Out.TrimEnd().Split('\n')))!["mode"]!.GetValue<string>());
        Assert.Equal($"student in {Path.Combine(_folder["run"], "model")}", run.Error.TrimEnd());
    }

    private string Fails(params string[] arguments) => Fails(1, arguments);

    /// <summary>The one error of a command that fails before it writes anything.</summary>
    private string Fails(int lines, params string[] arguments)
    {
        string[] training = arguments[0] is "finetune" or "convert" ? ["--out", _folder["run"]] : [];
        Capture run = Capture.Run([.. arguments, .. training]);
        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("internal error", run.Error, StringComparison.Ordinal);
        Assert.Equal(lines, run.Error.TrimEnd().Split('\n').Length);
        Assert.Empty(run.Out);
        string[] written = Directory.Exists(_folder["run"]) ? [.. Directory.EnumerateFiles(_folder["run"], "*", SearchOption.AllDirectories).Select(f => Path.GetFileName(f)!)] : [];
        Assert.Empty(written.Except([".lock", ".lock.owner", "recipe.yaml"])); // the folder can be used at once by a better command
        return run.Error;
    }

    private string CopyOfSource()
    {
        string copy = _folder["model"];
        Directory.CreateDirectory(copy);
        foreach (string name in (string[])["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"])
            File.Copy(Path.Combine(Source, name), Path.Combine(copy, name));
        return copy;
    }

    private string Tsv(string train, string validation)
    {
        _folder.Write("data/train.tsv", System.Text.Encoding.UTF8.GetBytes(train));
        _folder.Write("data/validation.tsv", System.Text.Encoding.UTF8.GetBytes(validation));
        return _folder["data"];
    }

    private static void ChangeJson(string path, Action<JsonNode> change)
    {
        JsonNode json = JsonNode.Parse(File.ReadAllBytes(path))!;
        change(json);
        File.WriteAllText(path, json.ToJsonString());
    }
}
