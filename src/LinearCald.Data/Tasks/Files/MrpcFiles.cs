namespace LinearCald.Data.Tasks.Files;

/// <summary>
/// MRPC as its publisher distributes it: msr_paraphrase_train.txt and msr_paraphrase_test.txt. GLUE's development part is a piece of the
/// former, listed by its pairs of ids in dev_ids.tsv; without that list the test part is the validation part.
/// </summary>
internal static class MrpcFiles
{
    public const string Train = "msr_paraphrase_train.txt";
    public const string Test = "msr_paraphrase_test.txt";

    /// <summary>Reads the parts; validation is null where rows are held out for it.</summary>
    public static (RawPart Train, RawPart? Validation, RawPart? Test) Read(
        GlueLayout layout, string folder, TaskOptions options, List<string> warnings)
    {
        string trainPath = Path.Combine(folder, Train);
        string? testPath = options.TestFile is not null || File.Exists(Path.Combine(folder, Test))
            ? PartFiles.Require(folder, "test", options.TestFile, Test)
            : null;
        RawPart? test = testPath is null ? null : GlueReader.ReadPart(layout, testPath, warnings);
        if (options.HeldOutRows > 0)
            return (GlueReader.ReadPart(layout, trainPath, warnings), null, test);
        if (options.ValidationFile is not null)
        {
            string validationPath = PartFiles.Require(folder, "validation", options.ValidationFile);
            return (GlueReader.ReadPart(layout, trainPath, warnings), GlueReader.ReadPart(layout, validationPath, warnings), test);
        }

        if (PartFiles.Find(folder, "validation", null, "dev_ids.tsv", "mrpc_dev_ids.tsv") is { } idsPath)
        {
            HashSet<string> ids = [.. TextLineReader.Read(idsPath).Select(line => line.Text).Where(text => text.Length > 0)];
            return (
                GlueReader.ReadRows(layout, trainPath, warnings, (header, fields) => !ids.Contains(IdsOf(header, fields))),
                GlueReader.ReadRows(layout, trainPath, [], (header, fields) => ids.Contains(IdsOf(header, fields))),
                test);
        }

        if (test is null)
            throw new CaldException($"{folder}: no validation part; expected dev_ids.tsv, which lists GLUE's part of {Train}, or {Test}");
        warnings.Add($"{folder}: no dev_ids.tsv, so {Test} is the validation part, and there is no test part");
        return (GlueReader.ReadPart(layout, trainPath, warnings), test, null);
    }

    private static string IdsOf(string[] header, string[] fields)
    {
        int first = Array.IndexOf(header, "#1 ID"), second = Array.IndexOf(header, "#2 ID");
        return first < 0 || second < 0 ? "" : $"{fields[first]}\t{fields[second]}";
    }
}
