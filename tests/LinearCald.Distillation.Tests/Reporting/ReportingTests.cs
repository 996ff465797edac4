using System.Text.Json;
using LinearCald.Distillation.Reporting;

namespace LinearCald.Distillation.Tests.Reporting;

/// <summary>Result rows, tables, JSON lines, metrics.jsonl and the stop request.</summary>
public sealed class ReportingTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("reporting").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static StepReport Step(int step) => new("target", step, 10, step / 5.0, 1.5, 0.25, double.NaN, 1e-3, 640, step * 0.5, double.NaN);

    [Fact]
    public void ARowIsOneJsonObjectWithTheFieldsOfTheContract()
    {
        string json = new ResultRow("target", "accuracy", 0.875, 12.34567, 1_400_000) { Variant = "target-pool" }.ToJson();
        Assert.Equal("""{"mode":"target","variant":"target-pool","metric":"accuracy","value":0.875,"seconds":12.346,"parameters":1400000}""", json);
    }

    [Fact]
    public void JsonEscapesAndKnowsNoNaN()
    {
        string json = new JsonLine().Add("te\"xt", "it's é\n\"1\"").Add("nan", double.NaN).Add("none", (string?)null).Add("yes", (bool?)true).ToString();
        using JsonDocument parsed = JsonDocument.Parse(json);
        Assert.Equal("it's é\n\"1\"", parsed.RootElement.GetProperty("te\"xt").GetString());
        Assert.Equal(JsonValueKind.Null, parsed.RootElement.GetProperty("nan").ValueKind);
        Assert.False(parsed.RootElement.TryGetProperty("none", out _));
        Assert.DoesNotContain('\n', json);
        Assert.Equal("{}", new JsonLine().ToString());
    }

    [Fact]
    public void TheTableAlignsAndLeavesOutEmptyColumns()
    {
        string table = ResultRow.Table(
        [
            new ResultRow("teacher", "accuracy", 0.9, 5, 1_000),
            new ResultRow("unguided", "accuracy", 0.0725, 105.26, 1_234_567) { ProjectionInit = "normal" },
        ]);
        Assert.Equal(
            """
            mode      projection  metric    value %  seconds  parameters
            --------  ----------  --------  -------  -------  ----------
            teacher   -           accuracy    90.00      5.0       1,000
            unguided  normal      accuracy     7.25    105.3   1,234,567

            """,
            table.ReplaceLineEndings());
    }

    [Fact]
    public void SeedsBecomeMeanAndDeviation()
    {
        ResultRow[] rows =
        [
            .. new double[] { 0.5, 0.6, 0.7 }.Select((value, seed) => new ResultRow("target", "accuracy", value, 10 + seed, 7) { Seed = seed }),
            new("teacher", "accuracy", 0.9, 1, 7) { Seed = 0 },
        ];
        IReadOnlyList<ResultRow> means = ResultRow.OverSeeds(rows);
        Assert.Equal(2, means.Count);
        Assert.Equal((3, null), (means[0].Runs, means[0].Seed));
        Assert.Equal(0.6, means[0].Value, 12);
        Assert.Equal(0.1, means[0].Deviation!.Value, 12);
        Assert.Equal(11, means[0].Seconds, 12);
        Assert.Equal(rows[3], means[1]);
    }

    [Fact]
    public void MetricsSurviveAndResumeWithoutTheStepsThatAreRunAgain()
    {
        string path = Path.Combine(folder, "metrics.jsonl");
        using (MetricsLog log = MetricsLog.Open(path))
        {
            log.Note("begin");
            for (int s = 1; s <= 5; s++)
                log.Report(Step(s));
            log.Report(new EvaluationReport("target", 5, "accuracy", 0.5, 1, 0.5, true, 2.5));
        }

        File.AppendAllText(path, "{\"kind\":\"step\",\"st");
        using (MetricsLog log = MetricsLog.Open(path, completedSteps: 3))
        {
            log.Note("resumed");
            log.Report(Step(4));
        }

        JsonElement[] lines = [.. File.ReadAllLines(path).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal([0, 1, 2, 3, 3, 4], lines.Select(line => line.GetProperty("step").GetInt32()));
        Assert.Equal("resumed", lines[4].GetProperty("text").GetString());
        Assert.Equal(0.25, lines[1].GetProperty("layer_loss").GetDouble());
        Assert.False(lines[1].TryGetProperty("kl_loss", out _));
        using (MetricsLog.Open(path))
        {
        }

        Assert.Empty(File.ReadAllText(path));
    }

    [Fact]
    public void AFileInThePlaceOfTheFolderIsOneClearError()
    {
        File.WriteAllText(Path.Combine(folder, "no"), "");
        CaldException error = Assert.Throws<CaldException>(() => MetricsLog.Open(Path.Combine(folder, "no", "metrics.jsonl")));
        Assert.StartsWith("Cannot write ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheFanReachesEverySink()
    {
        string a = Path.Combine(folder, "a"), b = Path.Combine(folder, "b");
        using (MetricsLog first = MetricsLog.Open(a))
        using (MetricsLog second = MetricsLog.Open(b, every: 4))
        {
            ProgressFan fan = new(first, second, SilentProgress.Instance);
            for (int s = 1; s <= 10; s++)
                fan.Report(Step(s));
        }

        Assert.Equal(10, File.ReadAllLines(a).Length);
        Assert.Equal(3, File.ReadAllLines(b).Length);
    }

    [Fact]
    public void AStopRequestStaysAndTheSharedOneIsNeverMade()
    {
        StopRequest stop = new();
        Assert.False(stop.IsRequested);
        stop.Request();
        Assert.True(stop.IsRequested);
        Assert.Throws<InvalidOperationException>(StopRequest.Never.Request);
        Assert.Equal("stopped after step 3 of 9; everything is saved. To go on, repeat the command with --resume --out runs/x",
            new RunStoppedException(3, 9, "runs/x").Message);
    }
}
