using System.Text;
using System.Text.Json;
using LinearCald.Data.Audio;

namespace LinearCald.Cli.Tests;

/// <summary>`cald inspect` and `cald verify` on sound and on damaged files.</summary>
public sealed class FileCommandTests : IDisposable
{
    private static readonly string Teacher = TestFiles.InCheckout("weights/roberta-tiny");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void InspectShowsAModelFolder()
    {
        Capture run = Capture.Run("inspect", Teacher);
        Assert.Equal(0, run.ExitCode);
        Assert.Empty(run.Error);
        Assert.StartsWith("model_type roberta, 4 layers, hidden 128, 4 heads, vocabulary 4096", run.Out, StringComparison.Ordinal);
        Assert.Contains("roberta.embeddings.word_embeddings.weight", run.Out, StringComparison.Ordinal);
        Assert.Contains("4096×128", run.Out, StringComparison.Ordinal);
        Assert.Contains("; all finite", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void InspectAsJsonIsOneObjectATensor()
    {
        JsonElement[] rows = [.. Capture.Run("inspect", Teacher, "--json").Out.Trim().Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        JsonElement words = rows.Single(row => row.GetProperty("name").GetString() == "roberta.embeddings.word_embeddings.weight");
        Assert.Equal("[4096,128]", words.GetProperty("shape").GetRawText());
        Assert.Equal(4096 * 128 * 2, words.GetProperty("bytes").GetInt64());
        Assert.True(words.GetProperty("min").GetDouble() < words.GetProperty("max").GetDouble());
        Assert.All(rows, row => Assert.Equal(0, row.GetProperty("nans").GetInt64()));
    }

    [Fact]
    public void InspectNamesWhereNaNsAre()
    {
        string header = """{"good":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"rotten":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""";
        byte[] file = [.. BitConverter.GetBytes((long)header.Length), .. Encoding.UTF8.GetBytes(header),
            .. BitConverter.GetBytes(1f), .. BitConverter.GetBytes(float.NaN), .. BitConverter.GetBytes(2f)];
        Capture run = Capture.Run("inspect", folder.Write("x.safetensors", file));
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("2 tensors, 3 elements", run.Out, StringComparison.Ordinal);
        Assert.Contains("1 with NaN or infinity: rotten", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void InspectMeasuresAudio()
    {
        string path = folder["x.wav"];
        WavWriter.Write(path, [0.5f, float.Epsilon, -0.25f, 0], 8000, WavEncoding.Float32, channels: 2);
        Capture run = Capture.Run("inspect", path);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("WAV, 32-bit float", run.Out, StringComparison.Ordinal);
        Assert.Contains("8000 Hz, 2 channels (below: their mean), 2 sample frames", run.Out, StringComparison.Ordinal);
        Assert.Contains("range -0.125 to 0.25", run.Out, StringComparison.Ordinal);
        Assert.Contains("; all finite", run.Out, StringComparison.Ordinal);
        JsonElement row = JsonDocument.Parse(Capture.Run("inspect", path, "--json").Out).RootElement;
        Assert.Equal((8000, 2, 0), (row.GetProperty("sample_rate").GetInt32(), row.GetProperty("channels").GetInt32(), row.GetProperty("not_finite").GetInt32()));
    }

    [Fact]
    public void DamagedAndMissingFilesAreOneLine()
    {
        byte[] sound = File.ReadAllBytes(Path.Combine(Teacher, "model.safetensors"));
        string cut = folder.Write("cut.safetensors", sound.AsSpan(0, sound.Length / 2));
        foreach (string path in (string[])[cut, folder["none.safetensors"], folder.Path, folder.Write("m/pytorch_model.bin", [1]), folder.Write("cut.wav", "RIFF"u8)])
        {
            Capture run = Capture.Run("inspect", path);
            Assert.Equal(1, run.ExitCode);
            Assert.Empty(run.Out);
            Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
            Assert.Single(run.Error.TrimEnd().Split('\n'));
            Assert.DoesNotContain("internal error", run.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void WhatAFileCallsItsTensorsCannotMoveTheCursor()
    {
        byte[] header = Encoding.UTF8.GetBytes("""{"a\u001b[31m\nb\tc":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""");
        string path = folder.Write("names.safetensors", [.. BitConverter.GetBytes((long)header.Length), .. header, 0, 0, 0xC0, 0x7F]);
        Capture run = Capture.Run("inspect", path);
        Assert.Equal(("", 0), (run.Error, run.ExitCode));
        Assert.Contains("a\\u001b[31m\\nb\\tc  F32   scalar", run.Out, StringComparison.Ordinal);
        Assert.EndsWith("1 tensor, 1 element, 0.0 MB; 1 with NaN or infinity: a\\u001b[31m\\nb\\tc\n", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', run.Out);

        string missing = Failure("inspect", folder["no\e[2Jfile"]);
        Assert.Contains("no\\u001b[2Jfile", missing, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', missing);
    }

    [Theory]
    [InlineData("lr-schedules", "case.json", "{", "is not valid JSON")]
    [InlineData("lr-schedules", "case.json", "{\"warmup\": \"a\", \"total\": 3}", "does not describe this kind of case")]
    [InlineData("lr-schedules", "case.json", null, "there is no such file")]
    [InlineData("ctc-loss", "case.json", "{\"cases\": 3}", "does not describe this kind of case")]
    [InlineData("ctc-loss", "case.json", "{\"cases\": []}", "lists no case")]
    [InlineData("roberta-cls", "config.json", "[]", "expected an object")]
    public void ADamagedFixtureIsNamed(string name, string file, string? text, string expected)
    {
        foreach (string path in Directory.EnumerateFiles(FixtureFolder.PathOf($"seed0/{name}")))
            folder.Write($"{name}/{Path.GetFileName(path)}", File.ReadAllBytes(path));
        if (text is null)
            File.Delete(folder[$"{name}/{file}"]);
        else
            folder.Write($"{name}/{file}", Encoding.UTF8.GetBytes(text));
        string error = Failure("verify", folder[name]);
        Assert.Contains(folder[name], error, StringComparison.Ordinal);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    private string TokenizerFolder(string name, string fixtures)
    {
        folder.Write($"{name}/tokenizer.json", File.ReadAllBytes(Path.Combine(Teacher, "tokenizer.json")));
        folder.Write($"{name}/fixtures.jsonl", Encoding.UTF8.GetBytes(fixtures));
        return folder[name];
    }

    [Fact]
    public void VerifyPassesAndFailsByTheFixtures()
    {
        TokenizerFolder("all/good", """{"text":"","ids":[],"decoded":""}""");
        Capture good = Capture.Run("verify", folder["all"]);
        Assert.Equal(0, good.ExitCode);
        Assert.Matches("^pass  good +cpu +worst 0 +budget 0 +1 compared", good.Out);

        TokenizerFolder("all/bad", """{"text":"a","ids":[1,2,3]}""");
        Capture both = Capture.Run("verify", folder["all"], "--json");
        Assert.Equal(1, both.ExitCode);
        JsonElement[] rows = [.. both.Out.Trim().Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(["bad", "good"], rows.Select(row => row.GetProperty("case").GetString()));
        Assert.Equal([false, true], rows.Select(row => row.GetProperty("pass").GetBoolean()));
        Assert.Equal([1.0, 0.0], rows.Select(row => row.GetProperty("worst").GetDouble()));
        Assert.Contains("fixtures.jsonl:1 ids", rows[0].GetProperty("tensor").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void VerifyOfNothingIsAFailureNotASuccess()
    {
        Directory.CreateDirectory(folder["empty"]);
        Assert.Contains("holds no fixture", Failure("verify", folder["empty"]), StringComparison.Ordinal);
        Assert.Contains("there is no such folder", Failure("verify", folder["none"]), StringComparison.Ordinal);
        Assert.Equal(2, Capture.Run("verify", folder["empty"], "--device", "gpu").ExitCode);
        TokenizerFolder("vacant", "");
        Assert.Equal(1, Capture.Run("verify", folder["vacant"]).ExitCode);
    }

    [SharedFact("tokenizers")]
    public void VerifyAgreesWithTheIndependentTokenizers()
    {
        Capture run = Capture.Run("verify", TestFiles.InShared("tokenizers/roberta-base")!);
        Assert.Equal("", run.Error);
        Assert.StartsWith("pass  roberta-base", run.Out, StringComparison.Ordinal);
    }

    private static string Failure(params string[] arguments)
    {
        Capture run = Capture.Run(arguments);
        Assert.Equal(1, run.ExitCode);
        return run.Error;
    }
}
