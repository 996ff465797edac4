using System.Text.Json;
using System.Text.RegularExpressions;

namespace LinearCald.Cli.Tests;

/// <summary>Runs that were killed or interrupted, two at once, and one after the other on one folder, against a run that nothing disturbed.</summary>
public sealed partial class InterruptionTests : IClassFixture<InterruptionTests.Undisturbed>, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Undisturbed _whole;

    public InterruptionTests(Undisturbed whole) => _whole = whole;

    private string Run => _folder["run"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ARunThatWasKilledGoesOnToTheSameResult()
    {
        using (ChildRun child = ChildRun.Start(Arguments(Run)))
        {
            child.WaitFor(Path.Combine(Run, "checkpoints", "step-000004"));
            child.Kill();
        }

        Assert.False(File.Exists(Path.Combine(Run, "results.json")), "the run was over before it was killed: the test shows nothing");
        Capture resumed = Capture.Run([.. Arguments(Run), "--resume", "--json"]);
        Assert.Equal("", resumed.Error);
        Assert.Equal(0, resumed.ExitCode);
        Assert.Equal(_whole.Outcome, Outcome(Run));
        JsonElement row = JsonDocument.Parse(Assert.Single(resumed.Out.TrimEnd().Split('\n'))).RootElement;
        Assert.Equal(_whole.Value, row.GetProperty("value").GetDouble());
    }

    [Fact]
    public void InterruptedItSavesAndSaysHowToGoOn()
    {
        using (ChildRun child = ChildRun.Start(Arguments(Run)))
        {
            child.WaitFor(Path.Combine(Run, "checkpoints", "step-000002"));

            // While it runs, nobody else may.
            foreach (string[] more in (string[][])[[], ["--resume"]])
            {
                Capture second = Capture.Run([.. Arguments(Run), .. more]);
                Assert.Equal(1, second.ExitCode);
                Assert.StartsWith($"error: {Run} is in use by another run (process ", second.Error, StringComparison.Ordinal);
                Assert.Single(second.Error.TrimEnd().Split('\n'));
            }

            (int exitCode, string output, string error) = child.Interrupt();
            Assert.Equal(1, exitCode);
            Assert.Empty(output);
            Assert.Matches(@"stopped after step \d+ of 20; everything is saved. To go on, repeat the command with --resume --out " + Regex.Escape(Run), error);
        }

        // Without --resume the folder is left alone.
        Dictionary<string, string> before = Outcome(Run);
        Capture again = Capture.Run(Arguments(Run));
        Assert.Equal(1, again.ExitCode);
        Assert.Equal($"error: {Run} already holds a run; add --resume to go on with it, or choose another folder with --out", again.Error.TrimEnd());
        Assert.Equal(before, Outcome(Run));

        Assert.Equal(0, Capture.Run([.. Arguments(Run), "--resume"]).ExitCode);
        Assert.Equal(_whole.Outcome, Outcome(Run));
    }

    [Fact]
    public void AFinishedRunIsReportedAgainAndAnotherRecipeRefused()
    {
        Capture again = Capture.Run([.. Arguments(_whole.Folder), "--resume", "--json"]);
        Assert.Equal(0, again.ExitCode);
        Assert.Equal(_whole.Value, JsonDocument.Parse(again.Out).RootElement.GetProperty("value").GetDouble());
        Capture other = Capture.Run([.. Arguments(_whole.Folder), "--resume", "--set", "teacher.lr=0.5"]);
        Assert.Equal(1, other.ExitCode);
        Assert.Contains("holds a run of another recipe; it differs in:\n  then: lr: 0.001\n  now:  lr: 0.5", other.Error, StringComparison.Ordinal);
        Assert.Equal(_whole.Outcome, Outcome(_whole.Folder));
    }

    private static string[] Arguments(string folder) =>
    [
        "finetune", "demo", "--out", folder, "--quiet", "--set", "task.max_train_rows=160", "--set", "task.max_eval_rows=48", "--set", "teacher.epochs=2",
        "--set", "teacher.batch_size=16", "--set", "teacher.checkpoint_every=2", "--set", "teacher.dropout=0.1",
    ];

    /// <summary>What must not depend on interruptions: the result, metrics without times, and the bytes of the model and of the last checkpoint.</summary>
    private static Dictionary<string, string> Outcome(string folder)
    {
        Dictionary<string, string> files = [];
        foreach (string name in (string[])["results.json", "metrics.jsonl"])
        {
            string path = Path.Combine(folder, name);
            files[name] = File.Exists(path) ? Seconds().Replace(File.ReadAllText(path), "") : "";
        }

        foreach (string name in (string[])["model/model.safetensors", "waypoints/step-000010/model.safetensors", "checkpoints/step-000020/optimizer.safetensors"])
        {
            string path = Path.Combine(folder, name);
            files[name] = File.Exists(path) ? Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path))) : "";
        }

        return files;
    }

    [GeneratedRegex("\"(seconds|memory_bytes)\": ?[^,}\\n]*", RegexOptions.IgnoreCase)]
    private static partial Regex Seconds();

    /// <summary>The run that nothing disturbed.</summary>
    public sealed class Undisturbed : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public Undisturbed()
        {
            Folder = _folder["whole"];
            Capture run = Capture.Run(Arguments(Folder));
            Assert.Equal("", run.Error);
            Assert.Equal(0, run.ExitCode);
            Outcome = InterruptionTests.Outcome(Folder);
            Assert.DoesNotContain("", Outcome.Values);
            using JsonDocument results = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "results.json")));
            Value = results.RootElement.GetProperty("row").GetProperty("value").GetDouble();
        }

        public string Folder { get; }

        public Dictionary<string, string> Outcome { get; }

        public double Value { get; }

        public void Dispose() => _folder.Dispose();
    }
}
