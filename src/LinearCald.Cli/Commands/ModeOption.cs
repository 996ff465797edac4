using System.CommandLine;
using LinearCald.Distillation.Recipes;

namespace LinearCald.Cli.Commands;

/// <summary>`--mode M`: one run out of a recipe.</summary>
internal static class ModeOption
{
    public static Option<string?> Create() => new("--mode")
    {
        Description = $"Guidance mode: {Recipe.ModeNames}; or another variant of the recipe (default: as the recipe says)",
        HelpName = "MODE",
    };

    /// <summary>The recipe of the mode or variant asked for.</summary>
    /// <exception cref="CaldException">Neither a mode nor a variant.</exception>
    public static Recipe Apply(Recipe recipe, string? mode)
    {
        if (mode is null)
            return recipe with { Variants = RecipeVariants.None };
        if (recipe.Variants.Contains(mode))
            return recipe.Variant(mode);
        if (Recipe.TryParseMode(mode) is { } known)
            return recipe.ForMode(known);
        string[] others = [.. recipe.Variants.Names.Where(name => Recipe.TryParseMode(name) is null)];
        throw new CaldException(
            $"--mode {mode} is not known; modes are {Recipe.ModeNames}{(others.Length > 0 ? $"; {recipe.Name} also has {string.Join(", ", others)}" : "")}");
    }
}
