using System.CommandLine;
using LinearCald.Distillation.Recipes;

namespace LinearCald.Cli.Commands;

/// <summary>`cald compare`: the rows of a table, over seeds.</summary>
internal sealed class CompareCommand : CaldCommand
{
    private static readonly Option<string[]> Only = new("--only")
    {
        Description = "Variants of the recipe to run, in this order (default: all of them)",
        HelpName = "VARIANT",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<int?> Seeds = CommonOptions.WholeNumber("--seeds", "Runs of each, with seeds 0 … N − 1 (default 1, with the recipe's seed)", 1, 1000);

    public CompareCommand()
        : base(
            "compare",
            "Fine-tunes the teacher of a recipe and converts it in every variant, for one or several seeds; prints the table.",
            "sections-tiny --data sections --seeds 3 # all modes, mean and deviation",
            "demo --only unguided target")
    {
        CommonOptions.AddRecipe(this);
        Add(Only);
        Add(Seeds);
        CommonOptions.AddRun(this);
        CommonOptions.AddCompute(this);
        Add(CommonOptions.Json);
    }

    public override int Execute(Session session)
    {
        Recipe recipe = CommonOptions.LoadRecipe(session.Arguments);
        string[] variants = session.Arguments.GetValue(Only) is { Length: > 0 } only ? only : [.. recipe.Variants.Names];
        foreach (string name in variants)
            recipe.Variant(name); // an unknown one is an error before anything is run
        int[] seeds = session.Arguments.GetValue(Seeds) is { } count ? [.. Enumerable.Range(0, count)] : [recipe.Training.Seed];
        string folder = RunOptions.FolderOf(session, recipe.Name);
        session.Note($"{recipe.Name}: teacher and {string.Join(", ", variants)}; runs in {folder}");
        new ComparisonOutput(session, recipe, folder).Run(variants, seeds);
        return CommandLine.Done;
    }
}
