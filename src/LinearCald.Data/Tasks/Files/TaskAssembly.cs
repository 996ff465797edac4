using LinearCald.Data.Batching;

namespace LinearCald.Data.Tasks.Files;

/// <summary>Makes a task of the parts that a reader has read: classes, held-out rows, row limits, warnings.</summary>
internal static class TaskAssembly
{
    /// <param name="options">What was asked for.</param>
    /// <param name="name">Name of the task.</param>
    /// <param name="classes">Its classes.</param>
    /// <param name="train">The training part.</param>
    /// <param name="validation">The validation part; null only where rows are held out for it.</param>
    /// <param name="test">The test part, or null.</param>
    /// <param name="warnings">What the reader has to say.</param>
    public static TextTask Assemble(
        TaskOptions options, string name, ClassNames classes, RawPart train, RawPart? validation, RawPart? test, IEnumerable<string> warnings)
    {
        IReadOnlyList<RawExample> trainRows = train.Rows;
        if (options.HeldOutRows > 0)
            (trainRows, validation) = HoldOut(train, options.HeldOutRows);
        ArgumentNullException.ThrowIfNull(validation);
        List<string> said = [.. warnings];
        foreach (RawPart part in ((RawPart?[])[train, options.HeldOutRows > 0 ? null : validation, test]).OfType<RawPart>())
        {
            int empty = part.Rows.Count(row => row.Text.Length == 0 || row.Pair is "");
            if (empty > 0)
                said.Add($"{part.Path}: {empty} of {part.Rows.Count} rows have an empty text");
        }

        TextExample[] trainExamples = Labelled(train.Path, trainRows, classes, options.MaxTrainRows);
        if (classes.Names.Where((_, k) => !trainExamples.Any(e => e.Label == k)).ToArray() is { Length: > 0 } unseen)
            said.Add($"{train.Path}: no training row of the class{(unseen.Length == 1 ? "" : "es")} {string.Join(", ", unseen)}");
        return new TextTask(
            name,
            classes.Names,
            train.Rows[0].Pair is not null,
            trainExamples,
            Labelled(validation.Path, validation.Rows, classes, options.MaxEvalRows),
            test is null ? null : Labelled(test.Path, test.Rows, classes, options.MaxEvalRows),
            said);
    }

    private static TextExample[] Labelled(string path, IReadOnlyList<RawExample> rows, ClassNames classes, int limit) =>
        [.. rows.Take(limit > 0 ? limit : rows.Count).Select(row => new TextExample(row.Text, row.Pair, classes.IndexOf(row, path)))];

    /// <summary>Draws rows off the training part; both parts keep the order of the file. The draw depends on the numbers of rows only.</summary>
    private static (IReadOnlyList<RawExample> Train, RawPart Validation) HoldOut(RawPart train, int count)
    {
        if (count >= train.Rows.Count)
            throw new CaldException(
                $"{train.Path}: {count} rows are to be held out for validation, but there are only {train.Rows.Count}; hold out fewer");
        int[] order = [.. Enumerable.Range(0, train.Rows.Count)];
        Permutation.Shuffle<int>(order, seed: 0, epoch: 0, Permutation.Purpose.Sample);
        RawExample[] Pick(IEnumerable<int> indices) => [.. indices.Order().Select(i => train.Rows[i])];
        return (Pick(order.Skip(count)), new RawPart(train.Path, Pick(order.Take(count))));
    }
}
