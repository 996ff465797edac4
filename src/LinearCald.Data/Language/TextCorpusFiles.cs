namespace LinearCald.Data.Language;

/// <summary>Finds the text files of a corpus.</summary>
public static class TextCorpusFiles
{
    private static readonly string[] Plain = [".txt", ".text"];
    private static readonly string[] JsonLines = [".jsonl", ".ndjson", ".json"];
    private static readonly string[] Packed = ["", ".gz"];
    private static readonly (string Extension, string Command)[] Unread = [(".xz", "xz -dk"), (".zst", "zstd -d"), (".bz2", "bzip2 -dk")];

    private static readonly (string Part, string[] Names)[] Parts =
    [
        ("train", ["train"]),
        ("valid", ["valid", "validation", "dev", "val"]),
        ("test", ["test"]),
    ];

    /// <summary>The files of a part of a corpus folder: <c>train.txt</c>, <c>train.jsonl</c>, either with <c>.gz</c>, or all files of the folder <c>train</c>.</summary>
    /// <param name="folder">The corpus.</param>
    /// <param name="part"><c>train</c>, <c>valid</c> (also <c>validation</c>, <c>dev</c>, <c>val</c>) or <c>test</c>.</param>
    /// <returns>Null where the folder has no such part.</returns>
    /// <exception cref="CaldException">No such folder, or the part is packed in a way that is not read.</exception>
    public static IReadOnlyList<string>? FindPart(string folder, string part)
    {
        if (!Directory.Exists(folder))
            throw new CaldException($"{folder}: there is no such folder; give one with train.txt (or .jsonl, also .gz) and valid.txt");
        string[] names = Parts.FirstOrDefault(entry => entry.Names.Contains(part)).Names ?? [part];
        foreach (string name in names)
        {
            string path = Path.Combine(folder, name);
            if (Directory.Exists(path))
                return List(path);
            if (Plain.Concat(JsonLines).SelectMany(e => Packed.Select(packed => path + e + packed)).FirstOrDefault(File.Exists) is { } found)
                return [found];
        }

        foreach (string name in names)
        {
            foreach ((string extension, string command) in Unread)
            {
                if (Plain.Concat(JsonLines).Select(e => Path.Combine(folder, name) + e + extension).FirstOrDefault(File.Exists) is { } found)
                    throw new CaldException($"{found}: this packing is not read; unpack it first ({command} {Path.GetFileName(found)}), or pack it with gzip");
            }
        }

        return null;
    }

    /// <summary>The text files among files and folders: files as they are, of folders all text files in them and below, by name.</summary>
    /// <exception cref="CaldException">Something is not there, or a folder has no text file.</exception>
    public static IReadOnlyList<string> List(params IEnumerable<string> paths)
    {
        List<string> files = [];
        foreach (string path in paths)
        {
            if (File.Exists(path))
            {
                files.Add(path);
                continue;
            }

            if (!Directory.Exists(path))
                throw new CaldException($"{path}: there is no such file or folder of text");
            string[] found = [.. Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(IsText).Order(StringComparer.Ordinal)];
            if (found.Length == 0)
                throw new CaldException($"{path}: no text file there; expected .txt or .jsonl, also with .gz");
            files.AddRange(found);
        }

        return files;
    }

    /// <summary>Whether the file at <paramref name="path"/> is read as JSON lines, by its name.</summary>
    internal static bool IsJsonLines(string path) => HasExtension(path, JsonLines);

    private static bool IsText(string path) => HasExtension(path, Plain) || HasExtension(path, JsonLines);

    private static bool HasExtension(string path, string[] extensions) =>
        extensions.Any(e => Packed.Any(packed => path.EndsWith(e + packed, StringComparison.OrdinalIgnoreCase)));
}
