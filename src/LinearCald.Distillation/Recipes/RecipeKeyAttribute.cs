namespace LinearCald.Distillation.Recipes;

/// <summary>
/// Marks a property that can be set from YAML. The key is the property's name in snake_case; the property's initial value is the
/// documented default; the bounds are inclusive unless <see cref="Above"/> is set.
/// </summary>
/// <param name="meaning">One line for `cald recipes --keys` and docs/recipes.md.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class RecipeKeyAttribute(string meaning) : Attribute
{
    public string Meaning { get; } = meaning;

    public double Min { get; init; } = double.NegativeInfinity;

    public double Max { get; init; } = double.PositiveInfinity;

    /// <summary>The lower bound itself is not allowed.</summary>
    public bool Above { get; init; }
}
