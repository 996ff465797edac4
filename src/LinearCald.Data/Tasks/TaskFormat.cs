namespace LinearCald.Data.Tasks;

/// <summary>How the examples of a task are stored, and with that their columns and classes.</summary>
public enum TaskFormat
{
    /// <summary>The small sample that travels with the program.</summary>
    Sample,

    /// <summary>Tab-separated files without a header, no quoting; the label is the last column.</summary>
    Tsv,

    /// <summary>Files with one JSON object a line.</summary>
    Jsonl,

    /// <summary>GLUE: sentiment of a sentence.</summary>
    Sst2,

    /// <summary>GLUE: does the sentence answer the question?</summary>
    Qnli,

    /// <summary>GLUE: is one question the duplicate of the other?</summary>
    Qqp,

    /// <summary>GLUE: is one sentence a paraphrase of the other?</summary>
    Mrpc,

    /// <summary>GLUE: does the first sentence entail the second?</summary>
    Rte,

    /// <summary>The aclImdb folder: sentiment of a film review, one file each.</summary>
    Imdb,
}

/// <summary>Names of <see cref="TaskFormat"/> as users write them.</summary>
public static class TaskFormats
{
    private const string OtherForms = "convert its files to tsv or jsonl with a label column of class names";

    private static readonly Dictionary<string, string> Refused = new(StringComparer.Ordinal)
    {
        ["stsb"] = "STS-B asks for a score, not for a class, and regression is not supported",
        ["cola"] = $"CoLA has no reader of its own: {OtherForms}",
        ["mnli"] = $"MNLI has no reader of its own: {OtherForms}",
        ["wnli"] = $"WNLI has no reader of its own: {OtherForms}",
        ["ax"] = "the diagnostic set AX has no public labels",
    };

    /// <summary>The format of a name such as <c>sst2</c> or <c>SST-2</c>.</summary>
    /// <exception cref="CaldException">No such format, or a GLUE task that is not supported.</exception>
    public static TaskFormat Parse(string name)
    {
        string key = name.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();
        foreach (TaskFormat format in Enum.GetValues<TaskFormat>())
        {
            if (key == NameOf(format))
                return format;
        }

        throw new CaldException(Refused.TryGetValue(key, out string? why)
            ? $"task \"{name}\": {why}"
            : $"task \"{name}\" is not known; known are {string.Join(", ", Enum.GetValues<TaskFormat>().Select(NameOf))}");
    }

    /// <summary>The name of a format in recipes and messages.</summary>
    public static string NameOf(TaskFormat format) => format.ToString().ToLowerInvariant();
}
