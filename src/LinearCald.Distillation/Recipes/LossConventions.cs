namespace LinearCald.Distillation.Recipes;

/// <summary>What each <see cref="LossConvention"/> stands for, key by key. Formulas: docs/recipes.md.</summary>
internal static class LossConventions
{
    public const string Key = "guidance.convention";

    /// <summary>Path and value of every key that the convention decides.</summary>
    public static IEnumerable<KeyValuePair<string, object?>> Components(LossConvention convention)
    {
        GuidanceRecipe g = convention switch
        {
            LossConvention.Nlp => new GuidanceRecipe { Padding = PaddingRule.Counted },
            LossConvention.Lm => new GuidanceRecipe
            {
                Entries = LayerEntries.Inner,
                Normalisation = StateNormalisation.Layernorm,
                LayerReduction = LayerReduction.Mean,
                KlReduction = KlReduction.Tokens,
                KlBetaSquared = false,
            },
            LossConvention.Speech => new GuidanceRecipe
            {
                Entries = LayerEntries.Outputs,
                Normalisation = StateNormalisation.Layernorm,
                LayerReduction = LayerReduction.Mean,
                KlReduction = KlReduction.Tokens,
                KlBetaSquared = false,
                DivideByAccumulation = true,
            },
            _ => new GuidanceRecipe(),
        };
        Recipe carrier = new() { Guidance = g };
        foreach (string name in (string[])["entries", "normalisation", "padding", "layer_reduction", "kl_reduction", "kl_beta_squared", "divide_by_accumulation"])
        {
            string path = "guidance." + name;
            yield return new(path, RecipeSchema.Find(path, path).Get(carrier));
        }
    }

    /// <summary>Adds the components of the convention that <paramref name="values"/> names, without touching keys that are there.</summary>
    public static void Expand(Dictionary<string, object?> values)
    {
        if (!values.TryGetValue(Key, out object? convention))
            return;
        foreach ((string path, object? value) in Components((LossConvention)convention!))
            values.TryAdd(path, value);
    }
}
