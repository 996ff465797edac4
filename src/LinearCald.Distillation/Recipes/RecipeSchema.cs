using System.Reflection;
using System.Text;

namespace LinearCald.Distillation.Recipes;

/// <summary>All keys of a recipe, read once from the records. The one place that knows names, types, bounds and defaults.</summary>
public static class RecipeSchema
{
    private static readonly Recipe Defaults = new();

    /// <summary>Every key in the order in which recipes are written.</summary>
    public static IReadOnlyList<RecipeKey> Keys { get; } = [.. Collect(null, typeof(Recipe))];

    private static readonly Dictionary<string, RecipeKey> ByPath = Keys.ToDictionary(key => key.Path);

    /// <summary>Section names in order.</summary>
    public static IReadOnlyList<string> Sections { get; } = [.. Keys.Where(k => k.Section is not null).Select(k => k.Section!).Distinct()];

    /// <summary>The key of a path such as `training.lr`.</summary>
    /// <param name="path">Section and key, or a key at the top.</param>
    /// <param name="origin">Where it was written, for the message.</param>
    /// <param name="structural">Further words that are allowed at this place, for the suggestion.</param>
    /// <exception cref="CaldException">There is no such key; names the nearest.</exception>
    internal static RecipeKey Find(string path, string origin, params IEnumerable<string> structural)
    {
        if (ByPath.TryGetValue(path, out RecipeKey? key))
            return key;
        if (Sections.Contains(path))
            throw new CaldException($"{origin}: '{path}' is a section, not a key; its keys: {KeysOf(path)}");
        int dot = path.IndexOf('.', StringComparison.Ordinal);
        string section = dot < 0 ? "" : path[..dot];
        string name = path[(dot + 1)..];
        if (dot >= 0 && !Sections.Contains(section))
            throw new CaldException($"{origin}: unknown section '{section}'{NearestName.Hint(section, Sections)} (sections: {string.Join(", ", Sections)})");

        IEnumerable<string> siblings = dot >= 0
            ? Keys.Where(k => k.Section == section).Select(k => k.Name)
            : Keys.Where(k => k.Section is null).Select(k => k.Name).Concat(Sections).Concat(structural);
        string place = dot >= 0 ? $" in section '{section}'" : "";
        string hint = NearestName.Hint(name, siblings);
        if (hint.Length == 0 && Keys.FirstOrDefault(k => k.Name == name) is { } elsewhere)
            hint = $"; did you mean '{elsewhere.Path}'?";
        if (hint.Length == 0)
            hint = $"; known ones: {string.Join(", ", siblings)}";
        throw new CaldException($"{origin}: unknown key '{name}'{place}{hint}");
    }

    /// <summary>The word of a choice in YAML: kebab case, so SourceInit is `source-init` and Fp32 `fp32`.</summary>
    public static string NameOf(Enum choice) => Split(choice.ToString(), '-');

    internal static string SnakeCase(string name) => Split(name, '_');

    private static string KeysOf(string section) => string.Join(", ", Keys.Where(k => k.Section == section).Select(k => k.Name));

    private static IEnumerable<RecipeKey> Collect(PropertyInfo? section, Type record)
    {
        foreach (PropertyInfo property in InOrder(record))
        {
            if (property.GetCustomAttribute<RecipeKeyAttribute>() is { } attribute)
                yield return new RecipeKey(section, property, attribute, Defaults);
            else if (section is null && property.PropertyType.Name.EndsWith("Recipe", StringComparison.Ordinal))
                foreach (RecipeKey key in Collect(property, property.PropertyType))
                    yield return key;
        }
    }

    // Those of a base record first, each in source order.
    private static IEnumerable<PropertyInfo> InOrder(Type record) => (record.BaseType is { } parent && parent != typeof(object) ? InOrder(parent) : [])
        .Concat(record.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly));

    private static string Split(string name, char separator)
    {
        StringBuilder words = new();
        foreach (char letter in name)
        {
            if (char.IsUpper(letter) && words.Length > 0)
                words.Append(separator);
            words.Append(char.ToLowerInvariant(letter));
        }

        return words.ToString();
    }
}
