using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Training;

namespace LinearCald.Distillation.Tests.Training;

/// <summary>A run that was stopped and went on is, bit for bit, the run that was not.</summary>
public sealed class ResumeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("unguided", 4)]
    [InlineData("target", 4)]
    [InlineData("hybrid", 3)]
    [InlineData("trajectory", 5)]
    [InlineData("waypoint", 7)]
    public void StoppedAndResumedGivesTheSameBits(string mode, int stopAfter)
    {
        TinyRun whole = RunOf(mode);
        (TrainingResult expected, _) = whole.Run(_folder["whole"]);
        Assert.Equal(4, expected.Evaluations.Count);
        TinyRun parts = RunOf(mode) with { StopAfter = stopAfter };
        parts.RunAndStop(_folder["parts"]);
        (TrainingResult actual, _) = (parts with { StopAfter = 0 }).Run(_folder["parts"], resume: true);
        Assert.Equal(expected.Evaluations, actual.Evaluations);
        Assert.Equal((expected.Best with { Seconds = 0 }, expected.BestStep), (actual.Best with { Seconds = 0 }, actual.BestStep));

        // The checkpoint of the stop is an extra one; all others, with moments and the trajectory's teacher, are the same files.
        Dictionary<string, string> a = TinyRun.Outcome(_folder["whole"]);
        Dictionary<string, string> b = TinyRun.Outcome(_folder["parts"]);
        Assert.Equal(a["metrics"], b["metrics"]);
        Assert.Equal(a[Path.Combine("model", "model.safetensors")], b[Path.Combine("model", "model.safetensors")]);
        string last = Path.Combine("checkpoints", "step-000010");
        string[] files = [.. a.Keys.Where(k => k.StartsWith(last, StringComparison.Ordinal))];
        Assert.Equal(mode == "trajectory" ? 3 : 2, files.Length);
        Assert.All(files, file => Assert.Equal(a[file], b[file]));
    }

    [Fact]
    public void WhatARunDidAfterItsLastCheckpointIsDoneAgain()
    {
        TinyRun run = RunOf("target") with { Optimisation = new TinyRun().Optimisation with { KeepCheckpoints = 10 } };
        run.Run(_folder["whole"]);

        // As if killed after update 5, whose evaluation may already have replaced the best model: the newest checkpoint is that of update 3.
        (run with { StopAfter = 5 }).RunAndStop(_folder["killed"]);
        Directory.Delete(Path.Combine(_folder["killed"], "checkpoints", "step-000005"), recursive: true);
        run.Run(_folder["killed"], resume: true);
        Assert.Equal(TinyRun.Outcome(_folder["whole"]), TinyRun.Outcome(_folder["killed"]));
    }

    [Fact]
    public void TheSecondInterruptionIsNoDifferentFromTheFirst()
    {
        TinyRun run = RunOf("trajectory");
        run.Run(_folder["whole"]);
        (run with { StopAfter = 1 }).RunAndStop(_folder["parts"]);
        Assert.Throws<RunStoppedException>(() => (run with { StopAfter = 8 }).Run(_folder["parts"], resume: true));
        run.Run(_folder["parts"], resume: true);
        string model = Path.Combine("model", "model.safetensors");
        Assert.Equal(TinyRun.Outcome(_folder["whole"])[model], TinyRun.Outcome(_folder["parts"])[model]);
        Assert.Equal(TinyRun.Outcome(_folder["whole"])["metrics"], TinyRun.Outcome(_folder["parts"])["metrics"]);
    }

    [Fact]
    public void AResumedRunThatIsFinishedOnlyReportsAgain()
    {
        TinyRun run = RunOf("unguided");
        (TrainingResult first, _) = run.Run(_folder["run"]);
        Dictionary<string, string> files = TinyRun.Outcome(_folder["run"]);
        (TrainingResult second, _) = run.Run(_folder["run"], resume: true);
        Assert.Equal(first.Best, second.Best);
        Assert.Equal(files, TinyRun.Outcome(_folder["run"]));
    }

    [Fact]
    public void TheHintNamesTheFolderThatTheUserGave()
    {
        RunStoppedException stopped = Assert.Throws<RunStoppedException>(() => (RunOf("unguided") with { StopAfter = 2 }).Run(_folder["run"]));
        Assert.Contains("stopped after step 2 of 10", stopped.Message, StringComparison.Ordinal);
        Assert.EndsWith($"--resume --out {_folder["run"]}", stopped.Message, StringComparison.Ordinal);
    }

    private TinyRun RunOf(string mode)
    {
        TinyRun run = new();
        return run with
        {
            Guidance = run.Guidance with { Mode = Recipe.TryParseMode(mode)!.Value },
            Waypoints = mode == "waypoint" ? TinyRun.SaveWaypoints(_folder, 3) : [],
        };
    }
}
