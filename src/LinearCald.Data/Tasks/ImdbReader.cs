using System.Globalization;
using LinearCald.Data.Tasks.Files;

namespace LinearCald.Data.Tasks;

/// <summary>
/// The folder aclImdb: train/neg, train/pos, test/neg, test/pos, one review a file, named ID_RATING.txt. Rows are in the order of the ids,
/// neg and pos in turn, so that the first so many rows are a balanced part; reviews without a label (unsup) are left alone.
/// </summary>
internal static class ImdbReader
{
    private static readonly string[] Classes = ["neg", "pos"];

    /// <summary>Reads both parts of the folder, or of the folder aclImdb within it.</summary>
    /// <remarks>
    /// The set has no validation part, so its test part is the validation part, as in the reference. With
    /// <see cref="TaskOptions.HeldOutRows"/> validation is a piece of the training part, and the test part is kept for the end.
    /// </remarks>
    public static TextTask Read(TaskOptions options)
    {
        options.RefuseColumns();
        string folder = options.RequireFolder();
        if (!Directory.Exists(Path.Combine(folder, "train")) && Directory.Exists(Path.Combine(folder, "aclImdb")))
            folder = Path.Combine(folder, "aclImdb");
        bool holdOut = options.HeldOutRows > 0;
        int trainLimit = options.MaxTrainRows == 0 || holdOut ? 0 : options.MaxTrainRows;
        RawPart train = ReadPart(folder, options.TrainFile ?? "train", "train", trainLimit);
        string testFolder = options.TestFile ?? "test";
        string validationFolder = options.ValidationFile ?? testFolder;
        RawPart? test = holdOut || validationFolder != testFolder ? ReadPart(folder, testFolder, "test", options.MaxEvalRows) : null;
        RawPart? validation = holdOut ? null : ReadPart(folder, validationFolder, "validation", options.MaxEvalRows);
        return TaskAssembly.Assemble(
            options,
            TaskFormats.NameOf(TaskFormat.Imdb),
            ClassNames.Fixed(options, [.. Classes.Select(name => (name, name))]),
            train,
            validation,
            test,
            validation is not null && test is null ? ["imdb has no validation part: its test part is used as such, as in the reference"] : []);
    }

    private static RawPart ReadPart(string folder, string name, string part, int limit)
    {
        string path = Path.Combine(folder, name);
        List<(long Id, string Class, string Path)> files = [];
        foreach (string label in Classes)
        {
            string classFolder = Path.Combine(path, label);
            if (!Directory.Exists(classFolder))
                throw new CaldException(
                    $"{classFolder} does not exist: the {part} part of imdb is a folder with neg and pos, as aclImdb has them in train and test; " +
                    "task.data must name aclImdb or the folder above it");
            int before = files.Count;
            files.AddRange(Directory.EnumerateFiles(classFolder, "*.txt").Select(file => (IdOf(file), label, file)));
            if (files.Count == before)
                throw new CaldException($"{classFolder} holds no .txt file; unpack the set again");
        }

        IEnumerable<(long Id, string Class, string Path)> chosen = files
            .OrderBy(file => file.Id).ThenBy(file => file.Class, StringComparer.Ordinal).ThenBy(file => file.Path, StringComparer.Ordinal)
            .Take(limit > 0 ? limit : files.Count);
        return new RawPart(path, [.. chosen.Select(file => new RawExample(ReadReview(file.Path), null, file.Class, 1))]);
    }

    private static long IdOf(string path) =>
        long.TryParse(Path.GetFileName(path).Split('_', '.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out long id) ? id : long.MaxValue;

    private static string ReadReview(string path)
    {
        string text = string.Join('\n', TextLineReader.Read(path).Select(line => line.Text));
        return text.Length > 0 ? text : throw new CaldException($"{path} is empty; unpack the set again");
    }
}
