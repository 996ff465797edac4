using System.Globalization;

namespace LinearCald.Data.Tasks.Files;

/// <summary>The classes of a task: their names, and which label of a file is which class.</summary>
internal sealed class ClassNames
{
    /// <summary>More classes than this are taken for a column that holds no classes.</summary>
    public const int MaxClasses = 1000;

    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);

    private ClassNames(IReadOnlyList<string> names, IEnumerable<string> values)
    {
        Names = names;
        foreach (string value in values)
            _index.Add(value, _index.Count);
    }

    /// <summary>Class names in the order of the outputs.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The classes the user named, or else those of the training part: integers by value, other names in ordinal order.</summary>
    public static ClassNames Of(TaskOptions options, RawPart train) =>
        options.Labels.Count > 0 ? Given(options.Labels) : Discovered(train);

    /// <summary>A format's own classes: for each its name, and the label that stands for it in files.</summary>
    /// <exception cref="CaldException">The user's order is not an order of these names.</exception>
    public static ClassNames Fixed(TaskOptions options, params IReadOnlyList<(string Name, string Value)> classes)
    {
        if (options.Labels.Count == 0)
            return new ClassNames([.. classes.Select(c => c.Name)], classes.Select(c => c.Value));
        if (!options.Labels.Order(StringComparer.Ordinal).SequenceEqual(classes.Select(c => c.Name).Order(StringComparer.Ordinal)))
            throw new CaldException(
                $"task.labels [{string.Join(", ", options.Labels)}] must hold the classes of {TaskFormats.NameOf(options.Format)} in some order: " +
                string.Join(", ", classes.Select(c => c.Name)));
        return new ClassNames([.. options.Labels], options.Labels.Select(name => classes.First(c => c.Name == name).Value));
    }

    /// <summary>The class of a row.</summary>
    /// <exception cref="CaldException">Its label is none of the classes.</exception>
    public int IndexOf(RawExample row, string path)
    {
        if (_index.TryGetValue(row.Label, out int index))
            return index;
        const int Shown = 12;
        string known = string.Join(", ", _index.Keys.Take(Shown).Select(value => $"\"{value}\""));
        string more = _index.Count > Shown ? $", … ({_index.Count} in all)" : "";
        throw new CaldException(
            $"{path}:{row.Line}: label \"{row.Label}\" is outside the classes; known are {known}{more}. " +
            "Correct the row, the choice of columns (task.label_column), or the classes (task.labels)");
    }

    private static ClassNames Given(IReadOnlyList<string> names)
    {
        if (names.Count < 2 || names.Distinct(StringComparer.Ordinal).Count() != names.Count)
            throw new CaldException($"task.labels [{string.Join(", ", names)}] must hold at least two different classes, each once");
        return new ClassNames([.. names], names);
    }

    private static ClassNames Discovered(RawPart train)
    {
        foreach (RawExample row in train.Rows)
            if (string.IsNullOrWhiteSpace(row.Label))
                throw new CaldException($"{train.Path}:{row.Line}: the label is empty. Correct the row, or the choice of columns (task.label_column)");
        string[] names = [.. train.Rows.Select(row => row.Label).Distinct(StringComparer.Ordinal)];
        if (names.Length < 2)
            throw new CaldException(
                $"{train.Path}: every label is \"{names[0]}\"; a classification task needs two classes or more (see task.label_column)");
        if (names.Any(IsFraction) && names.All(name => IsFraction(name) || IsInteger(name)))
            throw new CaldException(
                $"{train.Path}: the labels are numbers such as {names.First(IsFraction)}; regression is not supported, labels must be classes");
        if (names.Length > MaxClasses)
            throw new CaldException(
                $"{train.Path}: {names.Length} different labels in {train.Rows.Count} rows, more than the {MaxClasses} classes possible; " +
                "is task.label_column right?");
        string[] sorted = names.All(IsInteger)
            ? [.. names.OrderBy(name => long.Parse(name, CultureInfo.InvariantCulture)).ThenBy(name => name, StringComparer.Ordinal)]
            : [.. names.Order(StringComparer.Ordinal)];
        return new ClassNames(sorted, sorted);
    }

    private static bool IsInteger(string label) => long.TryParse(label, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);

    private static bool IsFraction(string label) =>
        label.Contains('.', StringComparison.Ordinal)
        && double.TryParse(label, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _);
}
