using System.Reflection;

namespace LinearCald.Distillation.Recipes;

/// <summary>The recipes that travel with the program, and the search for a recipe by name or path.</summary>
public static class RecipeLibrary
{
    private const string Prefix = "recipes/";
    private const string Suffix = ".yaml";

    private static readonly Assembly Home = typeof(RecipeLibrary).Assembly;

    // Building blocks for `extends` begin with an underscore and are not listed.
    private static readonly string[] All =
    [
        .. Home.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Suffix, StringComparison.Ordinal))
            .Select(name => name[Prefix.Length..^Suffix.Length])
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Names of the embedded recipes, without their variants.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Where(name => !name.Split('/')[^1].StartsWith('_'))];

    /// <summary>
    /// Names of all that can be asked for: each recipe, its `NAME/teacher` (what `cald finetune` uses) and each `NAME/VARIANT`.
    /// </summary>
    public static IReadOnlyList<string> AllNames() =>
        [.. Names.SelectMany(name => (string[])[name, $"{name}/teacher", .. Recipe.Load(name).Variants.Names.Select(v => $"{name}/{v}")])];

    /// <summary>The text of an embedded recipe as it was written, comments and all; null when there is none of that name.</summary>
    public static string? Text(string name)
    {
        using Stream? stream = Home.GetManifestResourceStream(Prefix + name + Suffix);
        if (stream is null)
            return null;
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }

    internal static Recipe Load(IReadOnlyList<string> sources, IReadOnlyList<string> overrides)
    {
        if (sources.Count == 0)
            throw new CaldException("no recipe was named; `cald recipes` lists the embedded ones");
        RecipeMerge merge = new();
        foreach (string source in sources)
            Apply(merge, source);
        merge.Apply(RecipeLayer.FromAssignments(overrides));
        return merge.Build();
    }

    internal static Recipe Parse(string yaml, string origin, IReadOnlyList<string> overrides)
    {
        RecipeMerge merge = new();
        Apply(merge, RecipeLayer.Read(yaml, origin), origin, Directory.GetCurrentDirectory(), [origin]);
        merge.Apply(RecipeLayer.FromAssignments(overrides));
        return merge.Build();
    }

    private static void Apply(RecipeMerge merge, string source)
    {
        if (File.Exists(source) || All.Contains(source))
        {
            ApplyNamed(merge, source, null, []);
            return;
        }

        int slash = source.LastIndexOf('/');
        if (slash < 0 || !All.Contains(source[..slash]))
            throw NotFound(source, "");
        ApplyNamed(merge, source[..slash], null, []);
        string variant = source[(slash + 1)..];
        if (variant != "teacher")
        {
            Recipe whole = merge.Build();
            if (!whole.Variants.Contains(variant))
                throw NotFound(source, "");
            merge.Select(variant);
        }

        merge.Name(source);
    }

    private static void ApplyNamed(RecipeMerge merge, string source, string? folder, List<string> chain)
    {
        string path = folder is null ? source : Path.Combine(folder, source);
        string identity = File.Exists(path) ? Path.GetFullPath(path) : source;
        if (chain.Contains(identity))
            throw new CaldException($"recipe {source} extends itself: {string.Join(" → ", chain.Append(identity))}");
        if (File.Exists(path))
        {
            RecipeLayer layer = RecipeLayer.Read(ReadFile(path), path);
            Apply(merge, layer, Path.GetFileNameWithoutExtension(path), Path.GetDirectoryName(identity)!, [.. chain, identity]);
        }
        else
        {
            string text = Text(source) ?? throw NotFound(source, chain.Count > 0 ? $" (extended by {chain[^1]})" : "");
            Apply(merge, RecipeLayer.Read(text, $"embedded {source}.yaml"), source, "", [.. chain, identity]);
        }
    }

    private static void Apply(RecipeMerge merge, RecipeLayer layer, string name, string folder, List<string> chain)
    {
        foreach (string parent in layer.Extends)
            ApplyNamed(merge, parent, folder, chain);
        layer.Values.TryAdd("name", name);
        merge.Apply(layer);
    }

    private static string ReadFile(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CaldException($"cannot read recipe {path}: {e.Message}", e);
        }
    }

    private static CaldException NotFound(string source, string context) => new(
        $"no recipe '{source}'{context}: there is no such file and no embedded recipe of that name{NearestName.Hint(source, AllNames())} (`cald recipes` lists them)");
}
