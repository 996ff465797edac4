using System.CommandLine;
using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;

namespace LinearCald.Cli.Commands;

/// <summary>`cald demo`: the main job on what travels with the program.</summary>
internal sealed class DemoCommand : CaldCommand
{
    private static readonly Option<string> Kind = new("--recipe")
    {
        Description = "Which main job: text (RoBERTa → Linformer, classification) or lm (Pythia → Mamba, language modelling)",
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
            "--all-modes",
            "--seeds 3 --json")
    {
        Kind.AcceptOnlyFromAmong("text", "lm");
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
        bool language = session.Arguments.GetValue(Kind) == "lm";
        Recipe recipe = CommonOptions.LoadRecipe(session.Arguments, language ? "lm-demo" : "demo");
        string[] usual = language ? ["unguided", "target"] : ["unguided", "target", "target-pool"];
        string[] variants = session.Arguments.GetValue(AllModes) ? [.. recipe.Variants.Names] : usual;
        int[] seeds = session.Arguments.GetValue(Seeds) is { } count ? [.. Enumerable.Range(0, count)] : [recipe.Training.Seed];
        string folder = RunOptions.FolderOf(session, recipe.Name);
        session.Note(language
            ? $"Pythia (tiny) → Mamba of state {recipe.Student.StateSize} on rows of {recipe.Task.MaxLength} tokens of two novels; runs in {folder}"
            : $"RoBERTa (tiny) → Linformer of rank {recipe.Student.Rank} on {recipe.Task.MaxLength}-token package descriptions; runs in {folder}");
        ComparisonOutput output = new(session, recipe, folder);
        IReadOnlyList<ResultRow> rows = ResultRow.OverSeeds(output.Run(variants, seeds));
        string first = Path.Combine(folder, $"seed-{seeds[0]}");
        string converted = Path.Combine(first, "target", "model");
        if (language)
        {
            if (!session.Json)
                ExplainLanguage(session, rows);
            output.ReadingSpeed(ModelSource.Resolve(recipe.Model.Source), converted, [512, 2048, 8192]);
            session.Note($"the converted model is in {converted}; try: cald generate --model {converted} \"It was\"");
            return CommandLine.Done;
        }

        if (!session.Json)
            Explain(session, rows);
        output.ClassifierSpeed(Path.Combine(first, "teacher", "model"), converted, [128, 512], batch: 8);
        session.Note($"the converted model is in {converted}");
        return CommandLine.Done;
    }

    private static void ExplainLanguage(Session session, IReadOnlyList<ResultRow> rows)
    {
        double Value(string name) => rows.First(r => (r.Variant ?? r.Mode) == name).Value;
        double teacher = Value("teacher");
        double target = Value("target");
        double unguided = Value("unguided");
        session.Terminal.Out.WriteLine(
            $"Perplexity, lower is better: the guided student (target) has {target / teacher:F2} times its teacher's, the unguided one {unguided / teacher:F2} times.\n");
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
