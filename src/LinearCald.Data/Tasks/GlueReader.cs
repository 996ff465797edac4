using LinearCald.Data.Tasks.Files;

namespace LinearCald.Data.Tasks;

/// <summary>
/// GLUE's own folders (SST-2, QNLI, QQP, MRPC, RTE): tab-separated files with a header and without quoting. Columns are found by their
/// names, classes are in the official order. The official test files have no labels, so there is a test part only where one is named
/// (for MRPC, where msr_paraphrase_test.txt is present beside a validation part).
/// </summary>
internal static class GlueReader
{
    /// <summary>Reads a task from its folder, or from the folder above that holds all tasks.</summary>
    public static TextTask Read(TaskOptions options)
    {
        options.RefuseColumns();
        GlueLayout layout = GlueLayout.Of(options.Format);
        string folder = options.RequireFolder();
        if (Directory.Exists(Path.Combine(folder, layout.Folder)) && PartFiles.Find(folder, "train", null, "train.tsv") is null)
            folder = Path.Combine(folder, layout.Folder);
        List<string> warnings = [];
        RawPart train;
        RawPart? validation, test;
        if (options.Format == TaskFormat.Mrpc && options.TrainFile is null && PartFiles.Find(folder, "train", null, "train.tsv") is null
            && File.Exists(Path.Combine(folder, MrpcFiles.Train)))
        {
            (train, validation, test) = MrpcFiles.Read(layout, folder, options, warnings);
        }
        else
        {
            train = ReadPart(layout, PartFiles.Require(folder, "train", options.TrainFile, "train.tsv"), warnings);
            validation = options.HeldOutRows > 0
                ? null
                : ReadPart(layout, PartFiles.Require(folder, "validation", options.ValidationFile, "dev.tsv"), warnings);
            string? testPath = PartFiles.Find(folder, "test", options.TestFile, options.Format == TaskFormat.Mrpc ? [MrpcFiles.Test] : []);
            test = testPath is null ? null : ReadPart(layout, testPath, warnings);
        }

        return TaskAssembly.Assemble(
            options, TaskFormats.NameOf(options.Format), ClassNames.Fixed(options, layout.Classes), train, validation, test, warnings);
    }

    /// <summary>Reads one file; damaged rows that the official file is known to have are left out, with a warning.</summary>
    internal static RawPart ReadPart(GlueLayout layout, string path, List<string> warnings) =>
        ReadRows(layout, path, warnings, (_, _) => true);

    /// <summary>The same, of those rows that <paramref name="keep"/> wants, given the header and the fields of each.</summary>
    internal static RawPart ReadRows(GlueLayout layout, string path, List<string> warnings, Func<string[], string[], bool> keep)
    {
        List<RawExample> rows = [];
        List<int> damaged = [];
        string[]? header = null;
        int text = -1, pair = -1, label = -1;
        foreach (TextLine line in TextLineReader.Read(path))
        {
            string[] fields = line.Text.Split('\t');
            if (header is null)
            {
                header = fields;
                text = Column(layout, layout.Text, header, path);
                pair = layout.Pair is null ? -1 : Column(layout, layout.Pair, header, path);
                label = Column(layout, layout.Label, header, path);
            }
            else if (fields.Length == header.Length)
            {
                if (keep(header, fields))
                    rows.Add(new RawExample(fields[text], pair < 0 ? null : fields[pair], fields[label], line.Number));
            }
            else if (line.Text.Length > 0)
            {
                damaged.Add(line.Number);
                if (damaged.Count > layout.DamagedRows)
                    throw new CaldException(
                        $"{path}:{line.Number}: {fields.Length} columns where the header has {header.Length}; " +
                        (layout.DamagedRows > 0 ? $"up to {layout.DamagedRows} such rows are left out, but here are more; " : "") +
                        "columns are separated by single tabs; fetch the file again");
            }
        }

        if (damaged.Count > 0)
            warnings.Add($"{path}: {damaged.Count} damaged row{(damaged.Count == 1 ? "" : "s")} left out (line {string.Join(", ", damaged)})");
        return new RawPart(path, rows);
    }

    private static int Column(GlueLayout layout, string name, string[] header, string path)
    {
        int column = Array.IndexOf(header, name);
        if (column >= 0)
            return column;
        string reason = header.Contains("score")
            ? "; a column \"score\" is STS-B's, and regression is not supported"
            : name == layout.Label ? "; GLUE's own test files have no labels" : "";
        throw new CaldException(
            $"{path}:1: no column \"{name}\" in the header ({string.Join(", ", header.Take(12))}); " +
            $"this is not a labelled file of {layout.Folder} as GLUE distributes it{reason}");
    }
}
