using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace LinearCald.Distillation.Recipes;

/// <summary>The text of one YAML value before it has a type: a scalar or a list of scalars.</summary>
/// <param name="Scalar">The text; null for a plain `null`, `~` or nothing at all, and for lists.</param>
/// <param name="Items">The members of a list, else null.</param>
internal readonly record struct RecipeText(string? Scalar, IReadOnlyList<string>? Items = null);

/// <summary>One settable key: its place in the records, its type, bounds and default; turns text into a checked value and back.</summary>
public sealed partial class RecipeKey
{
    private readonly RecipeKeyAttribute attribute;
    private readonly PropertyInfo? section;
    private readonly PropertyInfo property;
    private readonly Type type;
    private readonly bool nullable;

    internal RecipeKey(PropertyInfo? section, PropertyInfo property, RecipeKeyAttribute attribute, Recipe defaults)
    {
        this.attribute = attribute;
        this.section = section;
        this.property = property;
        Type? underlying = Nullable.GetUnderlyingType(property.PropertyType);
        type = underlying ?? property.PropertyType;
        nullable = underlying is not null || new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable;
        Section = section is null ? null : RecipeSchema.SnakeCase(section.Name);
        Name = RecipeSchema.SnakeCase(property.Name);
        Path = Section is null ? Name : $"{Section}.{Name}";
        Default = Format(Get(defaults));
    }

    /// <summary>The section's name; null for a key at the top.</summary>
    public string? Section { get; }

    /// <summary>The key inside its section.</summary>
    public string Name { get; }

    /// <summary>`section.key`, as `--set` takes it.</summary>
    public string Path { get; }

    /// <summary>One line on what the key does.</summary>
    public string Meaning => attribute.Meaning;

    /// <summary>The default as YAML.</summary>
    public string Default { get; }

    /// <summary>The values that are allowed, in words: "linear, cosine, …" or "a number from 0 to 1, or null".</summary>
    public string Allowed
    {
        get
        {
            string text = type switch
            {
                _ when type == typeof(bool) => "true or false",
                _ when type.IsEnum => string.Join(", ", Enum.GetValues(type).Cast<Enum>().Select(RecipeSchema.NameOf)),
                _ when type == typeof(int) => "a whole number" + Bounds(int.MaxValue),
                _ when type == typeof(double) => "a number" + Bounds(double.PositiveInfinity),
                _ when type == typeof(NameList) => "a list of names",
                _ => "text",
            };
            return nullable ? text + ", or null" : text;
        }
    }

    internal object? Get(Recipe recipe) => property.GetValue(section is null ? recipe : section.GetValue(recipe));

    /// <summary>Writes into a recipe that nobody else holds yet: records look immutable from outside.</summary>
    internal void Set(Recipe recipe, object? value) => property.SetValue(section is null ? recipe : section.GetValue(recipe), value);

    /// <param name="text">What was written.</param>
    /// <param name="origin">Where: "file:line" or the --set argument.</param>
    /// <exception cref="CaldException">The wrong type or out of bounds; says what is allowed.</exception>
    internal object? Parse(RecipeText text, string origin)
    {
        if (text is { Scalar: null, Items: null })
            return nullable ? null : throw Refuse("null", origin);
        if (type == typeof(NameList))
            return new NameList(text.Items ?? [text.Scalar!]);
        if (text.Items is not null)
            throw Refuse("a list", origin);
        string word = text.Scalar!;
        string found = $"'{word}'";
        if (type == typeof(string))
            return word;
        if (type == typeof(bool))
            return word switch { "true" => true, "false" => false, _ => throw Refuse(found, origin) };
        if (type.IsEnum)
        {
            Enum? choice = Enum.GetValues(type).Cast<Enum>().FirstOrDefault(c => RecipeSchema.NameOf(c) == word);
            return choice ?? throw Refuse(found, origin, NearestName.Hint(word, Enum.GetValues(type).Cast<Enum>().Select(RecipeSchema.NameOf)));
        }

        if (type == typeof(int))
        {
            return int.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int whole) && InBounds(whole)
                ? whole
                : throw Refuse(found, origin);
        }

        return double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            && double.IsFinite(number) && InBounds(number)
            ? number
            : throw Refuse(found, origin);
    }

    /// <summary>The value as a YAML scalar or flow list that <see cref="Parse"/> reads back to the same value.</summary>
    internal static string Format(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        Enum choice => RecipeSchema.NameOf(choice),
        int whole => whole.ToString(CultureInfo.InvariantCulture),
        double number => number.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant(),
        NameList names => $"[{string.Join(", ", names.Select(Quote))}]",
        _ => Quote((string)value),
    };

    private bool InBounds(double value) => (attribute.Above ? value > attribute.Min : value >= attribute.Min) && value <= attribute.Max;

    private string Bounds(double typeMax)
    {
        string from = double.IsNegativeInfinity(attribute.Min) ? ""
            : attribute.Above ? $" above {Short(attribute.Min)}" : $" from {Short(attribute.Min)}";
        string to = attribute.Max < typeMax ? $"{(attribute.Above ? " up" : "")} to {Short(attribute.Max)}" : attribute.Above ? "" : " up";
        return from.Length == 0 && to == " up" ? "" : from + to;
    }

    private static string Short(double bound) => bound.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant();

    private CaldException Refuse(string found, string origin, string hint = "") =>
        new($"{origin}: {Path}: {found} is not allowed{hint}; give {Allowed}");

    [GeneratedRegex(@"^[A-Za-z0-9_./][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+-]+)*\z")]
    private static partial Regex PlainWord();

    private static string Quote(string text)
    {
        if (PlainWord().IsMatch(text) && text is not ("null" or "Null" or "NULL"))
            return text;
        System.Text.StringBuilder quoted = new("\"");
        foreach (System.Text.Rune rune in text.EnumerateRunes())
        {
            quoted.Append(rune.Value switch
            {
                '"' => "\\\"",
                '\\' => @"\\",
                '\n' => "\\n",
                '\t' => "\\t",
                >= 0x20 and < 0x7f or >= 0xa1 and < 0xd800 and not (0x2028 or 0x2029 or 0xad) => rune.ToString(),
                _ => $"\\U{rune.Value:x8}",
            });
        }

        return quoted.Append('"').ToString();
    }
}
