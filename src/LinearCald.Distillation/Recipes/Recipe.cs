namespace LinearCald.Distillation.Recipes;

/// <summary>
/// Everything that decides the numbers of a run, typed and with documented defaults. Read from YAML; docs/recipes.md lists the keys.
/// Records are immutable and compare by content; <see cref="ToYaml"/> and <see cref="Parse"/> are inverse to each other.
/// </summary>
public sealed record Recipe
{
    [RecipeKey("name of the recipe; by default that of its file")]
    public string Name { get; init; } = "recipe";

    [RecipeKey("one line for `cald recipes`")]
    public string Description { get; init; } = "";

    [RecipeKey("preset: true = teacher_mode train, teacher_schedule student, convention nlp (lm and speech stay); false = our mended choices")]
    public bool Faithful { get; init; }

    public TaskRecipe Task { get; init; } = new();

    public ModelRecipe Model { get; init; } = new();

    public StudentRecipe Student { get; init; } = new();

    public TeacherRecipe Teacher { get; init; } = new() { Lr = 3e-5 };

    public TrainingRecipe Training { get; init; } = new();

    public GuidanceRecipe Guidance { get; init; } = new();

    /// <summary>Rows of a comparison; empty in a recipe that is one run.</summary>
    public RecipeVariants Variants { get; init; } = RecipeVariants.None;

    /// <summary>The words for <see cref="GuidanceMode"/>, comma-separated.</summary>
    public static string ModeNames { get; } = string.Join(", ", Enum.GetValues<GuidanceMode>().Select(mode => RecipeSchema.NameOf(mode)));

    /// <summary>The mode of that name, or null.</summary>
    public static GuidanceMode? TryParseMode(string name)
    {
        foreach (GuidanceMode mode in Enum.GetValues<GuidanceMode>())
            if (RecipeSchema.NameOf(mode) == name)
                return mode;
        return null;
    }

    /// <summary>Reads one recipe. See <see cref="Load(IReadOnlyList{string}, IReadOnlyList{string})"/>.</summary>
    public static Recipe Load(string source, params IReadOnlyList<string> overrides) => Load([source], overrides);

    /// <summary>Merges recipes from left to right, then applies the overrides.</summary>
    /// <param name="sources">File paths or embedded names such as `demo`, `glue/qnli` or `glue/qnli/target` (a variant picked).</param>
    /// <param name="overrides">`section.key=value` each.</param>
    /// <exception cref="CaldException">Not found, not readable, an unknown key, a value out of bounds.</exception>
    public static Recipe Load(IReadOnlyList<string> sources, IReadOnlyList<string> overrides) => RecipeLibrary.Load(sources, overrides);

    /// <summary>Reads a recipe from YAML text; `extends` names embedded recipes or files relative to the working directory.</summary>
    /// <param name="yaml">The text.</param>
    /// <param name="origin">What messages call it.</param>
    /// <param name="overrides">`section.key=value` each.</param>
    public static Recipe Parse(string yaml, string origin = "recipe", params IReadOnlyList<string> overrides) =>
        RecipeLibrary.Parse(yaml, origin, overrides);

    /// <summary>This recipe with further overrides.</summary>
    public Recipe With(params IReadOnlyList<string> overrides)
    {
        RecipeMerge merge = new(this);
        merge.Apply(RecipeLayer.FromAssignments(overrides));
        return merge.Build();
    }

    /// <summary>The run that a variant stands for: its changes applied, no variants left, its name appended to the recipe's.</summary>
    /// <exception cref="CaldException">No such variant.</exception>
    public Recipe Variant(string name)
    {
        if (!Variants.Contains(name))
            throw new CaldException($"recipe {Name} has no variant '{name}'{NearestName.Hint(name, Variants.Names)}{(Variants.Names.Count > 0 ? $" (variants: {string.Join(", ", Variants.Names)})" : "")}");
        RecipeMerge merge = new(this);
        merge.Select(name);
        return merge.Build() with { Name = $"{Name}/{name}" };
    }

    /// <summary>The run in that mode: the variant of that name where there is one, else this recipe with its mode changed.</summary>
    public Recipe ForMode(GuidanceMode mode)
    {
        string name = RecipeSchema.NameOf(mode);
        return Variants.Contains(name) ? Variant(name)
            : this with { Guidance = Guidance with { Mode = mode }, Variants = RecipeVariants.None };
    }

    /// <summary>The fully resolved recipe: every key, in order, then the variants.</summary>
    public string ToYaml() => RecipeYaml.Write(this);
}
