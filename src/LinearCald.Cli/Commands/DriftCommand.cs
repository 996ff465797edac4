using System.CommandLine;
using System.Globalization;
using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Training;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Cli.Commands;

/// <summary>`cald drift`: how far the teacher's hidden states move while it is fine-tuned.</summary>
internal sealed class DriftCommand : CaldCommand
{
    private static readonly Option<string> Run = new("--run")
    {
        Description = "Run folder of the teacher's fine-tuning, with waypoints (`cald finetune`, or the folder teacher of a comparison)",
        HelpName = "DIR",
        Required = true,
    };

    private static readonly Option<int?> Samples = CommonOptions.WholeNumber("--samples", "Random training examples to average over (default 100)", 1, 1_000_000);

    public DriftCommand()
        : base(
            "drift",
            "Measures how far a teacher's hidden states move while it is fine-tuned: the mean cosine distance from the source, a line a waypoint (figure 3 of the paper).",
            "speech-small --data fsdd --run runs/speech-small/seed-0/teacher",
            "sections-tiny --data sections --run runs/sections-tiny/seed-0/teacher --samples 50 --json")
    {
        CommonOptions.AddRecipe(this);
        Add(Run);
        Add(Samples);
        CommonOptions.AddCompute(this);
        Add(CommonOptions.Json);
    }

    public override int Execute(Session session)
    {
        Recipe recipe = CommonOptions.LoadRecipe(session.Arguments);
        IReadOnlyList<string> waypoints = Waypoints.In(session.Arguments.GetValue(Run)!);
        Device device = RunOptions.DeviceOf(session);
        ConversionSession conversion = new(recipe, new SessionOptions { Device = device });
        using TaskModel source = conversion.Domain.LoadSource(recipe.Teacher, BuildContext.For(device, (ulong)recipe.Teacher.Seed));
        TextTable table = new(["updates", "mean", .. Enumerable.Range(1, source.Layers).Select(l => $"layer {l}")]);
        foreach (DriftPoint point in HiddenStateDrift.Measure(conversion, source, waypoints, session.Arguments.GetValue(Samples) ?? 100, (ulong)recipe.Teacher.Seed))
        {
            if (session.Json)
                session.Terminal.Out.WriteLine(point.ToJson());
            else
                table.Add([point.Step.ToString(CultureInfo.InvariantCulture), Number(point.Mean), .. point.Layers.Select(Number)]);
        }

        if (!session.Json)
            session.Terminal.Out.Write(table);
        return CommandLine.Done;
    }

    private static string Number(double value) => value.ToString("F4", CultureInfo.InvariantCulture);
}
