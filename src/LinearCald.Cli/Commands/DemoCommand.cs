using System.CommandLine;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;

namespace LinearCald.Cli.Commands;

/// <summary>`cald demo`: a main job on what travels with the program.</summary>
internal sealed class DemoCommand : CaldCommand
{
    private static readonly Option<string> Kind = new("--recipe")
    {
        Description = "Which main job: text (RoBERTa → Linformer, classification), lm (Pythia → Mamba, language modelling) or speech (Wav2Vec2 → Mamba-2 in both directions, recognition)",
        HelpName = "JOB",
        DefaultValueFactory = _ => "text",
    };

    private static readonly Option<bool> AllModes = new("--all-modes") { Description = "Every row of the recipe: also source-init, trajectory, waypoint and hybrid guidance, as far as the job has them" };

    private static readonly Option<int?> Seeds = CommonOptions.WholeNumber("--seeds", "Runs of each row, with seeds 0 … N − 1 (default 1)", 1, 1000);

    public DemoCommand()
        : base(
            "demo",
            "Shows a main job on an embedded sample: takes a tiny teacher, converts it without and with guidance, compares.",
            "# RoBERTa → Linformer: under two minutes on two cores, no download",
            "--recipe lm # Pythia → Mamba: under three minutes",
            "--recipe speech # Wav2Vec2 → Mamba-2 in both directions: under three minutes",
            "--all-modes",
            "--seeds 3 --json")
    {
        CommonOptions.AcceptOnly(Kind, [.. DemoJob.All.Keys]);
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
        DemoJob job = DemoJob.All[session.Arguments.GetValue(Kind)!];
        Recipe recipe = CommonOptions.LoadRecipe(session.Arguments, job.Recipe);
        IReadOnlyList<string> variants = session.Arguments.GetValue(AllModes) ? recipe.Variants.Names : job.Variants;
        int[] seeds = session.Arguments.GetValue(Seeds) is { } count ? [.. Enumerable.Range(0, count)] : [recipe.Training.Seed];
        string folder = RunOptions.FolderOf(session, recipe.Name);
        session.Note($"{job.Announce(recipe)}; runs in {folder}");
        ComparisonOutput output = new(session, recipe, folder);
        IReadOnlyList<ResultRow> rows = ResultRow.OverSeeds(output.Run(variants, seeds));
        string first = Path.Combine(folder, $"seed-{seeds[0]}");
        string converted = Path.Combine(first, "target", "model");
        if (!session.Json)
            session.Terminal.Out.WriteLine(job.Explain(name => rows.First(r => (r.Variant ?? r.Mode) == name).Value));
        job.Speed(output, recipe, Path.Combine(first, "teacher", "model"), converted);
        session.Note($"the converted model is in {converted}{job.Next(converted)}");
        return CommandLine.Done;
    }
}
