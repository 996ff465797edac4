namespace LinearCald.Data.Tasks.Files;

/// <summary>Finds the files of a task's parts.</summary>
internal static class PartFiles
{
    /// <summary>The file of a part that must be there.</summary>
    /// <param name="folder">The data folder.</param>
    /// <param name="part">train, validation or test: the recipe's key is <c>task.PART_file</c>.</param>
    /// <param name="named">The name the user gave; null = one of the usual names.</param>
    /// <param name="usual">Names to try in turn; each may also end in .gz.</param>
    public static string Require(string folder, string part, string? named, params ReadOnlySpan<string> usual) =>
        Find(folder, part, named, usual) ?? throw new CaldException(
            $"{folder}: no {part} part; expected {Join(usual)} (or .gz of it){Listing(folder)}; name another file with task.{part}_file");

    /// <summary>The file of a part; null where none of the usual names is there.</summary>
    /// <exception cref="CaldException">The named file is missing, or the part is there in a compression that is not read.</exception>
    public static string? Find(string folder, string part, string? named, params ReadOnlySpan<string> usual)
    {
        if (named is not null)
        {
            return Existing(folder, named) ?? throw new CaldException(
                $"{Path.Combine(folder, named)} does not exist, but task.{part}_file names it{Listing(folder)}");
        }

        foreach (string name in usual)
        {
            if (Existing(folder, name) is { } path)
                return path;
        }

        return null;
    }

    private static string? Existing(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        if (File.Exists(path))
            return path;
        if (File.Exists(path + ".gz"))
            return path + ".gz";
        return File.Exists(path + ".xz")
            ? throw new CaldException(
                $"{path}.xz is compressed with xz, which is not read: unpack it first (xz -dk {name}.xz), or compress it with gzip")
            : null;
    }

    private static string Join(ReadOnlySpan<string> names) => string.Join(" or ", names.ToArray());

    private static string Listing(string folder)
    {
        const int Shown = 8;
        string[] names = [.. Directory.EnumerateFileSystemEntries(folder).Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal)];
        return names.Length == 0 ? "; the folder is empty"
            : $"; it holds {string.Join(", ", names.Take(Shown))}{(names.Length > Shown ? $", … ({names.Length} in all)" : "")}";
    }
}
