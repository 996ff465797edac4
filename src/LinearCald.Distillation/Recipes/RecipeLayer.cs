using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace LinearCald.Distillation.Recipes;

/// <summary>One variant as written in one file: what it starts from and what it changes.</summary>
internal sealed record VariantLayer(string Name, string? Like, string Origin, Dictionary<string, object?> Values);

/// <summary>
/// One YAML text, or all --set arguments, as checked values by path. Nothing is merged yet. Presets are already spelled out, so that
/// "later wins" can be decided key by key.
/// </summary>
internal sealed class RecipeLayer
{
    private const int MaxCharacters = 1 << 20;
    private const int MaxDepth = 16;

    public List<string> Extends { get; } = [];

    public Dictionary<string, object?> Values { get; } = [];

    public List<VariantLayer> Variants { get; } = [];

    /// <param name="text">YAML.</param>
    /// <param name="origin">File or recipe name for messages.</param>
    /// <exception cref="CaldException">Not YAML, an unknown key, a wrong type, out of bounds: with line, key and what is allowed.</exception>
    public static RecipeLayer Read(string text, string origin)
    {
        RecipeLayer layer = new();
        if (Parse(text, origin) is { } root)
            layer.ReadRoot(root, origin);
        LossConventions.Expand(layer.Values);
        return layer;
    }

    /// <param name="assignments">`section.key=value` each; `variants.NAME.section.key=value` changes one variant.</param>
    public static RecipeLayer FromAssignments(IEnumerable<string> assignments)
    {
        RecipeLayer layer = new();
        foreach (string assignment in assignments)
        {
            string origin = $"--set {assignment}";
            int equals = assignment.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                throw new CaldException($"{origin}: expected section.key=value, for example --set training.lr=2e-3");
            string path = assignment[..equals].Trim();
            RecipeText text = ReadValue(assignment[(equals + 1)..].Trim());
            if (path.StartsWith("variants.", StringComparison.Ordinal))
                layer.AssignVariant(path, text, origin);
            else
                layer.Values[path] = RecipeSchema.Find(path, origin).Parse(text, origin);
        }

        LossConventions.Expand(layer.Values);
        foreach (VariantLayer variant in layer.Variants)
            LossConventions.Expand(variant.Values);
        return layer;
    }

    private void AssignVariant(string path, RecipeText text, string origin)
    {
        string[] parts = path.Split('.', 3);
        if (parts.Length < 3)
            throw new CaldException($"{origin}: expected variants.NAME.section.key=value");
        VariantLayer? variant = Variants.Find(v => v.Name == parts[1]);
        if (variant is null)
            Variants.Add(variant = new VariantLayer(parts[1], null, origin, []));
        variant.Values[parts[2]] = SectionKey(parts[2], origin).Parse(text, origin);
    }

    // Only `null` and nothing are null: a file name may be called ~ or false.
    private static RecipeText ReadValue(string value)
    {
        if (!value.StartsWith('[') && !value.StartsWith('"'))
            return new RecipeText(value is "" or "null" ? null : value);
        YamlNode? node = ParseNode(value, $"--set …={value}");
        return node switch
        {
            YamlScalarNode scalar => new RecipeText(scalar.Value),
            YamlSequenceNode list when list.All(item => item is YamlScalarNode) => new RecipeText(null, Items(list)),
            _ => new RecipeText(value),
        };
    }

    private void ReadRoot(YamlMappingNode root, string origin)
    {
        foreach ((YamlNode keyNode, YamlNode node) in root.Children)
        {
            string at = At(origin, keyNode);
            string key = KeyText(keyNode, at);
            if (key == "extends")
                Extends.AddRange(Text(node, key, at) is { Items: { } many } ? many : [Text(node, key, at).Scalar ?? throw new CaldException($"{at}: extends: give the name of a recipe")]);
            else if (key == "variants")
                ReadVariants(node, origin, at);
            else if (RecipeSchema.Sections.Contains(key))
                ReadSection(key, node, origin, at, Values);
            else
                Values[key] = RecipeSchema.Find(key, at, "extends", "variants").Parse(Text(node, key, at), at);
        }
    }

    private static void ReadSection(string section, YamlNode node, string origin, string at, Dictionary<string, object?> values)
    {
        foreach ((YamlNode keyNode, YamlNode value) in Mapping(node, section, at))
        {
            string here = At(origin, keyNode);
            string path = $"{section}.{KeyText(keyNode, here)}";
            values[path] = RecipeSchema.Find(path, here).Parse(Text(value, path, here), here);
        }
    }

    private void ReadVariants(YamlNode node, string origin, string at)
    {
        foreach ((YamlNode nameNode, YamlNode body) in Mapping(node, "variants", at))
        {
            string here = At(origin, nameNode);
            string? like = null;
            Dictionary<string, object?> values = [];
            string name = KeyText(nameNode, here);
            foreach ((YamlNode keyNode, YamlNode part) in Mapping(body, name, here))
            {
                string there = At(origin, keyNode);
                string key = KeyText(keyNode, there);
                if (key == "like")
                    like = Text(part, key, there).Scalar;
                else if (RecipeSchema.Sections.Contains(key))
                    ReadSection(key, part, origin, there, values);
                else
                    throw new CaldException($"{there}: variant '{name}': unknown key '{key}'{NearestName.Hint(key, RecipeSchema.Sections.Append("like"))}; a variant may hold `like` and sections");
            }

            LossConventions.Expand(values);
            Variants.Add(new VariantLayer(name, like, here, values));
        }
    }

    private static RecipeKey SectionKey(string path, string origin)
    {
        RecipeKey key = RecipeSchema.Find(path, origin);
        return key.Section is null ? throw new CaldException($"{origin}: a variant may change keys in sections only, not '{path}'") : key;
    }

    private static IEnumerable<KeyValuePair<YamlNode, YamlNode>> Mapping(YamlNode node, string name, string at) => node switch
    {
        YamlMappingNode mapping => mapping.Children,
        YamlScalarNode { Value: null or "" or "null", Style: ScalarStyle.Plain } => [],
        _ => throw new CaldException($"{at}: '{name}' must hold keys of its own, one a line and indented"),
    };

    private static RecipeText Text(YamlNode node, string key, string at) => node switch
    {
        YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" or "Null" or "NULL" } => new RecipeText(null),
        YamlScalarNode scalar => new RecipeText(scalar.Value),
        YamlSequenceNode list when list.All(item => item is YamlScalarNode) => new RecipeText(null, Items(list)),
        _ => throw new CaldException($"{at}: {key} must be a single value or a list of values"),
    };

    private static string[] Items(YamlSequenceNode list) => [.. list.Cast<YamlScalarNode>().Select(item => item.Value ?? "")];

    private static string KeyText(YamlNode node, string at) =>
        node is YamlScalarNode { Value: { Length: > 0 } name } ? name : throw new CaldException($"{at}: a key must be a word");

    private static string At(string origin, YamlNode node) => $"{origin}:{node.Start.Line}";

    private static YamlMappingNode? Parse(string text, string origin) => ParseNode(text, origin) switch
    {
        null or YamlScalarNode { Value: null or "" } => null,
        YamlMappingNode mapping => mapping,
        YamlNode other => throw new CaldException($"{At(origin, other)}: a recipe is a list of `key: value` lines"),
    };

    private static YamlNode? ParseNode(string text, string origin)
    {
        if (text.Length > MaxCharacters)
            throw new CaldException($"{origin}: {text.Length} characters are too many for a recipe (limit {MaxCharacters})");
        try
        {
            CheckDepth(text, origin);
            YamlStream stream = [];
            stream.Load(new StringReader(text));
            return stream.Documents.Count switch
            {
                0 => null,
                1 => stream.Documents[0].RootNode,
                int many => throw new CaldException($"{origin}: holds {many} YAML documents; a recipe is one"),
            };
        }
        catch (YamlException e)
        {
            throw new CaldException($"{origin}:{e.Start.Line}: not valid YAML: {e.Message.ReplaceLineEndings(" ")}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // The parser's own way of giving up on some malformed text; it does not say where.
            throw new CaldException($"{origin}: not valid YAML; look for unbalanced quotes or brackets", e);
        }
    }

    // The document tree is built recursively; the event stream is not. Anchors are refused: a recipe has no use for them.
    private static void CheckDepth(string text, string origin)
    {
        Parser parser = new(new StringReader(text));
        int depth = 0;
        while (parser.MoveNext())
        {
            depth += parser.Current!.NestingIncrease;
            if (depth > MaxDepth)
                throw new CaldException($"{origin}:{parser.Current.Start.Line}: nested too deeply for a recipe");
            if (parser.Current is AnchorAlias)
                throw new CaldException($"{origin}:{parser.Current.Start.Line}: YAML aliases are not supported in recipes; use `extends:` or `like:`");
        }
    }
}
