using System.CommandLine;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;

namespace LinearCald.Cli.Commands;

/// <summary>`cald recipes`: the list of embedded recipes, one of them in full, or all keys there are.</summary>
internal sealed class RecipesCommand : CaldCommand
{
    private static readonly Argument<string[]> Names = new("RECIPE")
    {
        Description = "Recipe files or embedded names to print fully resolved, merged from left to right; none = list the embedded ones",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<bool> Source = new("--source") { Description = "Print an embedded recipe as it was written instead of resolved" };

    private static readonly Option<bool> Keys = new("--keys") { Description = "List every key of a recipe with its default and the values it takes" };

    public RecipesCommand()
        : base(
            "recipes",
            "Lists the embedded recipes, prints one, or explains the keys.",
            "",
            "glue/qnli/target # every key of one cell of the paper's Table 4",
            "demo --source # as it was written, with comments",
            "demo mine.yaml --set training.lr=1e-3 # what these merge to",
            "--keys")
    {
        Add(Names);
        Add(Source);
        Add(Keys);
        CommonOptions.AddOverrides(this);
        Add(CommonOptions.Json);
        Validators.Add(result =>
        {
            if (result.GetValue(Source) && result.GetValue(Names)?.Length != 1)
                result.AddError("--source needs the name of one embedded recipe");
            if (result.GetValue(Keys) && result.GetValue(Names)?.Length > 0)
                result.AddError("--keys takes no recipe");
        });
    }

    public override int Execute(Session session)
    {
        string[] names = session.Arguments.GetValue(Names) ?? [];
        if (session.Arguments.GetValue(Keys))
            PrintKeys(session);
        else if (session.Arguments.GetValue(Source))
            session.Terminal.Out.Write(SourceOf(names[0]));
        else if (names.Length > 0)
            session.Terminal.Out.Write(CommonOptions.LoadRecipe(session.Arguments, names).ToYaml());
        else
            PrintList(session);
        return CommandLine.Done;
    }

    private static string SourceOf(string name) => RecipeLibrary.Text(name) ?? throw new CaldException(
        $"no embedded recipe '{name}'{NearestName.Hint(name, RecipeLibrary.Names)}; a variant such as glue/qnli/target is printed with that of its recipe, glue/qnli");

    private static void PrintList(Session session)
    {
        TextWriter output = session.Terminal.Out;
        int width = RecipeLibrary.Names.Max(name => name.Length);
        foreach (string name in RecipeLibrary.Names)
        {
            Recipe recipe = Recipe.Load(name);
            string[] parts = ["teacher", .. recipe.Variants.Names];
            if (session.Json)
            {
                foreach (string full in (string[])[name, .. parts.Select(part => $"{name}/{part}")])
                    output.WriteLine(new JsonLine().Add("name", full).Add("description", recipe.Description));
                continue;
            }

            output.WriteLine($"{name.PadRight(width)}  {recipe.Description}");
            output.WriteLine($"{new string(' ', width)}  /{string.Join(" /", parts)}");
        }

        if (!session.Json)
            output.WriteLine("\nA part is named with its recipe, for example glue/qnli/target.");
    }

    private static void PrintKeys(Session session)
    {
        foreach (RecipeKey key in RecipeSchema.Keys)
        {
            if (session.Json)
                session.Terminal.Out.WriteLine(new JsonLine().Add("key", key.Path).Add("default", key.Default).Add("values", key.Allowed).Add("meaning", key.Meaning));
            else
                session.Terminal.Out.WriteLine($"{key.Path}: {key.Default}\n    {key.Meaning}\n    takes {key.Allowed}");
        }
    }
}
