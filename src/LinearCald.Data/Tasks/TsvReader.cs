using System.Globalization;
using LinearCald.Data.Tasks.Files;

namespace LinearCald.Data.Tasks;

/// <summary>
/// Tab-separated files without a header and without quoting: one text or a pair of texts, and the label in the last column, unless the
/// options say otherwise. Blank lines are passed over; every other line has as many columns as the first one of the training part.
/// </summary>
internal static class TsvReader
{
    /// <summary>Reads train.tsv, valid.tsv and, where present, test.tsv of a folder.</summary>
    public static TextTask Read(TaskOptions options)
    {
        string folder = options.RequireFolder();
        string trainPath = PartFiles.Require(folder, "train", options.TrainFile, "train.tsv");
        string? validationPath = options.HeldOutRows > 0 ? null
            : PartFiles.Require(folder, "validation", options.ValidationFile, "valid.tsv", "validation.tsv", "dev.tsv");
        string? testPath = PartFiles.Find(folder, "test", options.TestFile, "test.tsv");
        Columns? columns = null;
        RawPart train = ReadPart(trainPath, TextLineReader.Read(trainPath), options, ref columns);
        List<string> warnings = [];
        if (options.Labels.Count == 0 && train.Rows.Count > 2 && train.Rows.Count(row => row.Label == train.Rows[0].Label) == 1)
            warnings.Add($"{trainPath}:1: no other row has the label \"{train.Rows[0].Label}\"; if this line is a header, remove it");
        return TaskAssembly.Assemble(
            options,
            Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))),
            ClassNames.Of(options, train),
            train,
            validationPath is null ? null : ReadPart(validationPath, TextLineReader.Read(validationPath), options, ref columns),
            testPath is null ? null : ReadPart(testPath, TextLineReader.Read(testPath), options, ref columns),
            warnings);
    }

    /// <summary>The examples of lines that have the usual columns.</summary>
    internal static RawPart ReadPart(string path, IEnumerable<TextLine> lines)
    {
        Columns? columns = null;
        return ReadPart(path, lines, new TaskOptions(), ref columns);
    }

    /// <summary>The examples of lines; the columns are those of <paramref name="columns"/>, or else set by the first line.</summary>
    private static RawPart ReadPart(string path, IEnumerable<TextLine> lines, TaskOptions options, ref Columns? columns)
    {
        List<RawExample> rows = [];
        foreach (TextLine line in lines)
        {
            if (line.Text.Length == 0)
                continue;
            string[] fields = line.Text.Split('\t');
            columns ??= Columns.Of(options, fields.Length, $"{path}:{line.Number}");
            if (fields.Length != columns.Count)
                throw new CaldException(
                    $"{path}:{line.Number}: {fields.Length} columns where {columns.Count} were expected, as in the first line of the training " +
                    "part; columns are separated by single tabs, and a text cannot hold one");
            rows.Add(new RawExample(fields[columns.Text], columns.Pair < 0 ? null : fields[columns.Pair], fields[columns.Label], line.Number));
        }

        return new RawPart(path, rows);
    }

    /// <summary>Which column is what; <paramref name="Pair"/> is −1 for single texts.</summary>
    private sealed record Columns(int Count, int Text, int Pair, int Label)
    {
        public static Columns Of(TaskOptions options, int count, string place)
        {
            int label = options.LabelColumn is null ? count - 1 : Number(options.LabelColumn, "task.label_column", count, place);
            int[] texts = options.TextColumns.Count > 0
                ? [.. options.TextColumns.Select(name => Number(name, "task.text_columns", count, place))]
                : [.. Enumerable.Range(0, count).Where(column => column != label)];
            if (texts.Length is < 1 or > 2)
                throw new CaldException(
                    $"{place}: {count} column{(count == 1 ? "" : "s")}; expected text and label, or two texts and label, separated by tabs" +
                    (count > 3 ? "; choose among more columns with task.text_columns" : ""));
            if (texts.Append(label).CountBy(column => column).FirstOrDefault(column => column.Value > 1) is { Value: > 1 } twice)
                throw new CaldException($"{place}: task.text_columns and task.label_column name column {twice.Key} twice");
            return new Columns(count, texts[0], texts.Length == 2 ? texts[1] : -1, label);
        }

        private static int Number(string name, string key, int count, string place) =>
            int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int column) && column < count
                ? column
                : throw new CaldException($"{place}: {key} {name} is not one of the columns 0 to {count - 1} of this line");
    }
}
