namespace LinearCald.Distillation.Recipes;

/// <summary>
/// Puts layers on top of one another. What is written later wins key by key, over variants written earlier as well, so that `--set`
/// always has the last word; inside one layer a variant is the more special and wins.
/// </summary>
internal sealed class RecipeMerge
{
    private readonly Dictionary<string, object?> values = [];
    private readonly OrderedDictionary<string, Dictionary<string, object?>> variants = [];

    public RecipeMerge()
    {
    }

    /// <summary>Starts from a finished recipe.</summary>
    public RecipeMerge(Recipe recipe)
    {
        foreach (RecipeKey key in RecipeSchema.Keys)
            values[key.Path] = key.Get(recipe);
        foreach (string name in recipe.Variants.Names)
            variants[name] = new Dictionary<string, object?>(recipe.Variants[name]);
    }

    public void Apply(RecipeLayer layer)
    {
        Dictionary<string, object?> added = new(layer.Values);
        AddFaithful(added);
        foreach ((string path, object? value) in added)
        {
            values[path] = value;
            foreach (Dictionary<string, object?> variant in variants.Values)
                variant.Remove(path);
        }

        foreach (VariantLayer variant in layer.Variants)
            Apply(variant);
    }

    public void Name(string name) => values["name"] = name;

    /// <summary>Makes one variant the recipe and forgets the others.</summary>
    public void Select(string name)
    {
        foreach ((string path, object? value) in variants[name])
            values[path] = value;
        variants.Clear();
    }

    /// <summary>The finished recipe, its keys checked against each other.</summary>
    public Recipe Build()
    {
        OrderedDictionary<string, Dictionary<string, object?>> copy = [];
        foreach ((string name, Dictionary<string, object?> overlay) in variants)
            copy[name] = new Dictionary<string, object?>(overlay);
        Recipe recipe = new() { Variants = new RecipeVariants(copy) };
        foreach (RecipeKey key in RecipeSchema.Keys)
            if (values.TryGetValue(key.Path, out object? value))
                key.Set(recipe, value);
        RecipeRules.Check(recipe);
        return recipe;
    }

    private void Apply(VariantLayer layer)
    {
        if (!variants.TryGetValue(layer.Name, out Dictionary<string, object?>? overlay))
        {
            overlay = layer.Like is null ? [] : variants.TryGetValue(layer.Like, out Dictionary<string, object?>? liked)
                ? new Dictionary<string, object?>(liked)
                : throw new CaldException($"{layer.Origin}: variant '{layer.Name}' is like '{layer.Like}', which is not written above it{NearestName.Hint(layer.Like, variants.Keys)}");
            if (Recipe.TryParseMode(layer.Name) is { } mode)
                overlay["guidance.mode"] = mode;
            variants[layer.Name] = overlay;
        }
        else if (layer.Like is not null)
        {
            throw new CaldException($"{layer.Origin}: variant '{layer.Name}' exists already, so it cannot start like '{layer.Like}'");
        }

        foreach ((string path, object? value) in layer.Values)
            overlay[path] = value;
    }

    // `faithful` is a preset too: it decides the keys where we mend the reference in a way that changes numbers.
    private void AddFaithful(Dictionary<string, object?> added)
    {
        if (!added.TryGetValue("faithful", out object? set))
            return;
        bool faithful = (bool)set!;
        added.TryAdd("guidance.teacher_mode", faithful ? TeacherMode.Train : TeacherMode.Eval);
        added.TryAdd("guidance.teacher_schedule", faithful ? TeacherSchedule.Student : TeacherSchedule.Own);
        LossConvention current = values.TryGetValue(LossConventions.Key, out object? before) ? (LossConvention)before! : LossConvention.Masked;
        if (current is LossConvention.Nlp or LossConvention.Masked)
            added.TryAdd(LossConventions.Key, faithful ? LossConvention.Nlp : LossConvention.Masked);
        LossConventions.Expand(added);
    }
}
