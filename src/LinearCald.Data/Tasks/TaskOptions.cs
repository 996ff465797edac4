namespace LinearCald.Data.Tasks;

/// <summary>What to read as a task; the properties mean what the keys of a recipe's section <c>task</c> mean.</summary>
public sealed record TaskOptions
{
    /// <summary>How the examples are stored.</summary>
    public TaskFormat Format { get; init; } = TaskFormat.Sample;

    /// <summary>The folder of the files; every format but <see cref="TaskFormat.Sample"/> needs it.</summary>
    public string? Folder { get; init; }

    /// <summary>File (for aclImdb: folder) of the training part inside <see cref="Folder"/>; null = the format's usual name.</summary>
    public string? TrainFile { get; init; }

    /// <summary>The same for the validation part.</summary>
    public string? ValidationFile { get; init; }

    /// <summary>The same for the test part; where null and the usual file is absent (or has no labels), the task has no test part.</summary>
    public string? TestFile { get; init; }

    /// <summary>One column, or a pair: names in JSON lines, numbers from 0 in TSV; empty = the format's usual ones.</summary>
    public IReadOnlyList<string> TextColumns { get; init; } = [];

    /// <summary>Column of the label: a name in JSON lines, a number from 0 in TSV; null = <c>label</c>, or the last.</summary>
    public string? LabelColumn { get; init; }

    /// <summary>Class names in the order of the model's outputs; empty = those of the training part, sorted.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>
    /// Draw so many rows off the training part (the same ones always) to be the validation part, instead of reading one; 0 = read it.
    /// aclImdb, which has no validation part, then has its test part as such.
    /// </summary>
    public int HeldOutRows { get; init; }

    /// <summary>Use only the first so many training rows; 0 = all.</summary>
    public int MaxTrainRows { get; init; }

    /// <summary>Use only the first so many rows of the validation part, and of the test part; 0 = all.</summary>
    public int MaxEvalRows { get; init; }

    /// <summary>The folder.</summary>
    /// <exception cref="CaldException">None was given, or it does not exist.</exception>
    internal string RequireFolder()
    {
        if (Folder is null)
            throw new CaldException($"task {TaskFormats.NameOf(Format)} reads files, but no folder was given: set task.data or --data");
        if (!Directory.Exists(Folder))
            throw new CaldException(File.Exists(Folder)
                ? $"{Folder} is a file; task.data names the folder that holds the parts, task.train_file and its like the files in it"
                : $"{Folder} does not exist: task.data must name the folder of the data files");
        return Folder;
    }

    /// <summary>Refuses column choices where the format has columns of its own.</summary>
    internal void RefuseColumns()
    {
        if (TextColumns.Count > 0 || LabelColumn is not null)
            throw new CaldException(
                $"task.text_columns and task.label_column are for tsv and jsonl; {TaskFormats.NameOf(Format)} has columns of its own");
    }
}
