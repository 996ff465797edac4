using System.Text.Json.Nodes;
using LinearCald.Data.Tasks;
using LinearCald.Models.Roberta;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Cli.Tests;

/// <summary>`cald drift` on a short fine-tuning.</summary>
public sealed class DriftCommandTests : IDisposable
{
    private static readonly string[] s_short = ["--set", "task.max_train_rows=32", "--set", "task.max_eval_rows=8", "--set", "teacher.epochs=1", "--set", "teacher.batch_size=8"];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void EveryWaypointIsALineWithEveryLayer()
    {
        Assert.Equal(0, Capture.Run(["finetune", "demo", "--out", _folder["run"], "--quiet", "--set", "teacher.waypoints_per_epoch=2", .. s_short]).ExitCode);
        string[] drift = ["drift", "demo", "--run", _folder["run"], "--samples", "4", .. s_short];
        Capture json = Capture.Run([.. drift, "--json"]);
        Assert.Equal(("", 0), (json.Error, json.ExitCode));
        JsonObject[] points = [.. json.Out.TrimEnd().Split('\n').Select(line => JsonNode.Parse(line)!.AsObject())];
        Assert.Equal([2, 4], points.Select(point => point["step"]!.GetValue<int>()));
        foreach (JsonObject point in points)
        {
            double[] layers = [.. point["layers"]!.AsArray().Select(layer => layer!.GetValue<double>())];
            Assert.Equal(4, layers.Length);
            Assert.All(layers, layer => Assert.InRange(layer, 1e-12, 2));
            Assert.Equal(layers.Average(), point["value"]!.GetValue<double>());
        }

        Capture table = Capture.Run(drift);
        Assert.Equal(4, table.Out.TrimEnd().Split('\n').Length); // heading, rule, two waypoints
        Assert.StartsWith("updates", table.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void WaypointsOfAnotherModelAreNamed()
    {
        Assert.Contains("holds no waypoints", Fails("drift", "demo", "--run", _folder.Path), StringComparison.Ordinal);

        RobertaConfig config = new()
        {
            VocabularySize = 4096,
            HiddenSize = 16,
            Layers = 1,
            Heads = 2,
            IntermediateSize = 32,
            MaximumPositions = 514,
            Labels = TaskLoader.Load(new TaskOptions()).Labels,
        };
        using RobertaForSequenceClassification other = new(BuildContext.For(Device.Parse("cpu"), 3), config);
        RobertaFiles.Save(other, _folder["waypoints/step-000001"]);
        string error = Fails(["drift", "demo", "--run", _folder.Path, .. s_short]);
        Assert.Contains(_folder["waypoints/step-000001"], error, StringComparison.Ordinal);
        Assert.Contains("1 layers, width 16", error, StringComparison.Ordinal);
        Assert.Contains("set model.source to the teacher's", error, StringComparison.Ordinal);
    }

    private static string Fails(params string[] arguments)
    {
        Capture run = Capture.Run(arguments);
        Assert.Equal((1, ""), (run.ExitCode, run.Out));
        Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
        return run.Error;
    }
}
