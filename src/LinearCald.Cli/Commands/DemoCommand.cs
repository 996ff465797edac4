using System.CommandLine;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;

namespace LinearCald.Cli.Commands;

/// <summary>`cald demo`: the main job on what travels with the program.</summary>
internal sealed class DemoCommand : CaldCommand
{
    private static readonly string[] Usual = ["unguided", "target", "target-pool"];

    private static readonly Option<string> Kind = new("--recipe")
    {
        Description = "Which main job: text",
        HelpName = "JOB",
        DefaultValueFactory = _ => "text",
    };

    private static readonly Option<bool> AllModes = new("--all-modes") { Description = "Also source-init, trajectory, waypoint and hybrid guidance, and the unguided student with a pooled start" };

    private static readonly Option<int?> Seeds = CommonOptions.WholeNumber("--seeds", "Runs of each row, with seeds 0 … N − 1 (default 1)", 1, 1000);

    public DemoCommand()
        : base(
            "demo",
            "Shows the main job on an embedded sample: fine-tunes a tiny RoBERTa, converts it to a Linformer without and with guidance, compares.",
            "# under two minutes on two cores, no download",
            "--all-modes",
            "--seeds 3 --json")
    {
        Kind.AcceptOnlyFromAmong("text");
        Add(Kind);
        Add(AllModes);
        Add(Seeds);
        Add(CommonOptions.Set);
        Add(CommonOptions.Seed);
        CommonOptions.AddRun(this);
        CommonOptions.AddCompute(this);
        Add(CommonOptions.Json);
    }

    public override int Execute(Session session)
    {
        Recipe recipe = CommonOptions.LoadRecipe(session.Arguments, "demo");
        string[] variants = session.Arguments.GetValue(AllModes) ? [.. recipe.Variants.Names] : Usual;
        int[] seeds = session.Arguments.GetValue(Seeds) is { } count ? [.. Enumerable.Range(0, count)] : [recipe.Training.Seed];
        string folder = RunOptions.FolderOf(session, "demo");
        session.Note($"RoBERTa (tiny) → Linformer of rank {recipe.Student.Rank} on {recipe.Task.MaxLength}-token package descriptions; runs in {folder}");
        ComparisonOutput output = new(session, recipe, folder);
        IReadOnlyList<ResultRow> rows = ResultRow.OverSeeds(output.Run(variants, seeds));
        if (!session.Json)
            Explain(session, rows);
        string first = Path.Combine(folder, $"seed-{seeds[0]}");
        output.Speed(Path.Combine(first, "teacher"), Path.Combine(first, "target"), [128, 512], batch: 8);
        session.Note($"the converted model is in {Path.Combine(first, "target", "model")}");
        return CommandLine.Done;
    }

    private static void Explain(Session session, IReadOnlyList<ResultRow> rows)
    {
        double Value(string name) => 100 * rows.First(r => (r.Variant ?? r.Mode) == name).Value;
        double teacher = Value("teacher");
        double target = Value("target");
        double unguided = Value("unguided");
        session.Terminal.Out.WriteLine(
            $"The guided student (target) is {teacher - target:F1} points below its teacher and {target - unguided:F1} above the unguided one.");
        session.Terminal.Out.WriteLine("Rows named -pool start the projections as averages of neighbouring positions, which is not in the paper.\n");
    }
}
