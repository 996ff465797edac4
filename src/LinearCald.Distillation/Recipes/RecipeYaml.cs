using System.Text;

namespace LinearCald.Distillation.Recipes;

/// <summary>Writes a recipe with every key, so that a run folder says all that decided its numbers.</summary>
internal static class RecipeYaml
{
    public static string Write(Recipe recipe)
    {
        StringBuilder text = new();
        string? section = null;
        foreach (RecipeKey key in RecipeSchema.Keys)
        {
            if (key.Section != section)
                text.Append('\n').Append(section = key.Section).Append(":\n");
            text.Append(section is null ? "" : "  ").Append(key.Name).Append(": ").Append(RecipeKey.Format(key.Get(recipe))).Append('\n');
        }

        if (recipe.Variants.Names.Count > 0)
            text.Append("\nvariants:\n");
        foreach (string name in recipe.Variants.Names)
            WriteVariant(text, name, recipe.Variants[name]);
        return text.ToString();
    }

    private static void WriteVariant(StringBuilder text, string name, IReadOnlyDictionary<string, object?> overlay)
    {
        text.Append("  ").Append(RecipeKey.Format(name)).Append(":\n");
        string? section = null;
        foreach (RecipeKey key in RecipeSchema.Keys)
        {
            if (!overlay.TryGetValue(key.Path, out object? value))
                continue;
            if (key.Section != section)
                text.Append("    ").Append(section = key.Section).Append(":\n");
            text.Append("      ").Append(key.Name).Append(": ").Append(RecipeKey.Format(value)).Append('\n');
        }
    }
}
