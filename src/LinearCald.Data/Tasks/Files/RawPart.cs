namespace LinearCald.Data.Tasks.Files;

/// <summary>An example as it stands in a file.</summary>
/// <param name="Text">The text; the first of a pair.</param>
/// <param name="Pair">The second text, or null.</param>
/// <param name="Label">The label as written.</param>
/// <param name="Line">Line in the file, from 1.</param>
internal readonly record struct RawExample(string Text, string? Pair, string Label, int Line);

/// <summary>A part of a task as it stands in a file, at least one example long.</summary>
internal sealed class RawPart
{
    /// <exception cref="CaldException">There is no example.</exception>
    public RawPart(string path, IReadOnlyList<RawExample> rows)
    {
        if (rows.Count == 0)
            throw new CaldException($"{path} has no examples: the file is empty, or has a header only");
        Path = path;
        Rows = rows;
    }

    /// <summary>Where the part was read from.</summary>
    public string Path { get; }

    /// <summary>The examples in the order of the file.</summary>
    public IReadOnlyList<RawExample> Rows { get; }
}
