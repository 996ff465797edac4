namespace LinearCald.Distillation.Recipes;

/// <summary>
/// Named changes to one recipe, so that a single file describes all the rows of a comparison. Names that are guidance modes set that
/// mode; others say theirs or start `like` another. Ordered as written; compares by content.
/// </summary>
public sealed class RecipeVariants : IEquatable<RecipeVariants>
{
    private readonly OrderedDictionary<string, Dictionary<string, object?>> overlays;

    internal RecipeVariants(OrderedDictionary<string, Dictionary<string, object?>> overlays) => this.overlays = overlays;

    /// <summary>No variants.</summary>
    public static RecipeVariants None { get; } = new([]);

    /// <summary>The names in the order written.</summary>
    public IReadOnlyList<string> Names => overlays.Keys;

    /// <summary>There is a variant of that name.</summary>
    public bool Contains(string name) => overlays.ContainsKey(name);

    internal IReadOnlyDictionary<string, object?> this[string name] => overlays[name];

    public bool Equals(RecipeVariants? other) => other is not null && overlays.Keys.SequenceEqual(other.overlays.Keys)
        && overlays.All(pair => pair.Value.Count == other.overlays[pair.Key].Count
            && pair.Value.All(change => other.overlays[pair.Key].TryGetValue(change.Key, out object? value) && Equals(change.Value, value)));

    public override bool Equals(object? obj) => Equals(obj as RecipeVariants);

    public override int GetHashCode() => overlays.Keys.Aggregate(overlays.Count, HashCode.Combine);
}
