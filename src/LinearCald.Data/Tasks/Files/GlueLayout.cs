namespace LinearCald.Data.Tasks.Files;

/// <summary>How one GLUE task is laid out.</summary>
/// <param name="Folder">Name of its folder in the official archive.</param>
/// <param name="Text">Column of the text.</param>
/// <param name="Pair">Column of the second text, or null.</param>
/// <param name="Label">Column of the label.</param>
/// <param name="Classes">Name and label as written, in the official order of the classes.</param>
/// <param name="DamagedRows">So many rows with a wrong number of columns are left out with a warning rather than refused.</param>
internal sealed record GlueLayout(
    string Folder, string Text, string? Pair, string Label, IReadOnlyList<(string Name, string Value)> Classes, int DamagedRows = 0)
{
    private static readonly (string, string)[] Entailment = [("entailment", "entailment"), ("not_entailment", "not_entailment")];

    /// <summary>The layout of a GLUE task.</summary>
    public static GlueLayout Of(TaskFormat format) => format switch
    {
        TaskFormat.Sst2 => new("SST-2", "sentence", null, "label", [("negative", "0"), ("positive", "1")]),
        TaskFormat.Qnli => new("QNLI", "question", "sentence", "label", Entailment),

        // The official train.tsv has three rows with columns missing; the usual count of 363,846 is without them.
        TaskFormat.Qqp => new("QQP", "question1", "question2", "is_duplicate", [("not_duplicate", "0"), ("duplicate", "1")], DamagedRows: 10),
        TaskFormat.Mrpc => new("MRPC", "#1 String", "#2 String", "Quality", [("not_equivalent", "0"), ("equivalent", "1")]),
        TaskFormat.Rte => new("RTE", "sentence1", "sentence2", "label", Entailment),
        _ => throw new CaldException($"{TaskFormats.NameOf(format)} is not a GLUE task with a reader here"),
    };
}
