namespace LinearCald.Data.ZeroShot;

/// <summary>The tasks known by name, and where their files are looked for.</summary>
public static class ZeroShotTasks
{
    private static readonly ZeroShotMetric[] Choice = [ZeroShotMetric.Accuracy];
    private static readonly ZeroShotMetric[] NormalizedChoice = [ZeroShotMetric.Accuracy, ZeroShotMetric.NormalizedAccuracy];
    private static readonly ZeroShotMetric[] LastWord = [ZeroShotMetric.Accuracy, ZeroShotMetric.Perplexity];

    private static readonly string[] Extensions = [".jsonl", ".jsonl.gz", ".json", ".json.gz"];

    // The harness's name, other names of its files, and what the harness reports.
    private static readonly (string Name, string[] Aliases, ZeroShotMetric[] Metrics)[] Catalogue =
    [
        ("lambada_openai", ["lambada"], LastWord),
        ("piqa", [], NormalizedChoice),
        ("winogrande", ["winogrande_xl"], Choice),
        ("wsc273", ["winograd_wsc", "wsc"], Choice),
        ("arc_easy", [], NormalizedChoice),
        ("arc_challenge", [], NormalizedChoice),
        ("sciq", [], NormalizedChoice),
        ("logiqa", ["logi_qa"], NormalizedChoice),
        ("openbookqa", ["openbook_qa"], NormalizedChoice),
        ("copa", [], Choice),
        ("boolq", [], Choice),
        ("social_iqa", ["siqa"], Choice),
        ("commonsense_qa", [], Choice),
    ];

    /// <summary>The eight tasks of the published evaluation, by the harness's names.</summary>
    public static IReadOnlyList<string> Published { get; } =
        ["lambada_openai", "piqa", "winogrande", "wsc273", "arc_easy", "arc_challenge", "sciq", "logiqa"];

    /// <summary>All names, in the order of the table.</summary>
    public static IReadOnlyList<string> Known { get; } = [.. Catalogue.Select(task => task.Name)];

    /// <summary>The names of the tasks that a folder has a file of, in the order of <see cref="Known"/>.</summary>
    /// <exception cref="CaldException">There is no such folder.</exception>
    public static IReadOnlyList<string> In(string folder)
    {
        RequireFolder(folder);
        return [.. Catalogue.Where(task => Find(folder, task.Name, task.Aliases) is not null).Select(task => task.Name)];
    }

    /// <summary>Reads a task out of a folder.</summary>
    /// <param name="folder">A folder with files such as <c>piqa.jsonl</c> or <c>piqa.jsonl.gz</c>.</param>
    /// <param name="name">Name or alias of a known task, or the name (without extension) of any file there.</param>
    /// <exception cref="CaldException">No such folder or file, or a malformed line.</exception>
    public static ZeroShotTask Load(string folder, string name)
    {
        RequireFolder(folder);
        (string known, string[] aliases, _) = Entry(name);
        string path = Find(folder, known, aliases) ?? throw new CaldException(
            $"{folder}: no file of the task {name}; expected {known}.jsonl{string.Concat(aliases.Select(alias => $" or {alias}.jsonl"))} (also .gz). " +
            $"Tasks found there: {(In(folder) is { Count: > 0 } found ? string.Join(", ", found) : "none")}");
        return LoadFile(path, known);
    }

    /// <summary>Reads a task's file; the form of its lines is found out by their fields.</summary>
    /// <param name="path">JSON lines, plain or gzip.</param>
    /// <param name="name">The task's name; null: after the file.</param>
    /// <exception cref="CaldException">Unreadable, empty, or a malformed line; the message names file and line.</exception>
    public static ZeroShotTask LoadFile(string path, string? name = null)
    {
        if (!File.Exists(path))
            throw new CaldException($"{path}: there is no such file; give the JSON-lines file of a task");
        name ??= Path.GetFileName(path).Split('.')[0];
        (string known, _, ZeroShotMetric[]? metrics) = Entry(name);
        IReadOnlyList<ZeroShotExample> examples = ZeroShotReader.Read(path);
        metrics ??= examples[0].Gold is null ? LastWord : NormalizedChoice;
        return new ZeroShotTask(known, path, metrics, examples);
    }

    private static (string Name, string[] Aliases, ZeroShotMetric[]? Metrics) Entry(string name)
    {
        foreach ((string known, string[] aliases, ZeroShotMetric[] metrics) in Catalogue)
        {
            if (aliases.Prepend(known).Contains(name, StringComparer.OrdinalIgnoreCase))
                return (known, aliases, metrics);
        }

        return (name, [], null);
    }

    private static string? Find(string folder, string name, string[] aliases) =>
        aliases.Prepend(name).SelectMany(stem => Extensions.Select(extension => Path.Combine(folder, stem + extension))).FirstOrDefault(File.Exists);

    private static void RequireFolder(string folder)
    {
        if (!Directory.Exists(folder))
            throw new CaldException($"{folder}: there is no such folder; give the one with the tasks' JSON-lines files");
    }
}
