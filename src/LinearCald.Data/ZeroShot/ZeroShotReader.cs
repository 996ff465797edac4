using LinearCald.Data.Tasks.Files;
using LinearCald.Data.ZeroShot.Forms;

namespace LinearCald.Data.ZeroShot;

/// <summary>Reads the lines of a task's file. The first line decides on the form; all others must have it too.</summary>
internal static class ZeroShotReader
{
    // A form is tried before those whose fields are a subset of its own.
    private static readonly QuestionForm[] Forms =
    [
        new ContextOptionsForm(),
        new QueryForm(),
        new CompletionForm(),
        new PiqaForm(),
        new WinograndeForm(),
        new SciqForm(),
        new ArcForm(),
        new LogiqaForm(),
        new WinogradForm(),
        new LambadaForm(),
    ];

    /// <exception cref="CaldException">Unreadable, malformed or empty.</exception>
    public static IReadOnlyList<ZeroShotExample> Read(string path)
    {
        List<ZeroShotExample> examples = [];
        QuestionForm? form = null;
        foreach (TextLine line in TextLineReader.Read(path))
        {
            if (string.IsNullOrWhiteSpace(line.Text))
                continue;
            using JsonRow row = JsonRow.Parse(line.Text, $"{path}:{line.Number}");
            form ??= FormOf(row);
            examples.Add(Checked(form.Read(row), row, line.Number));
        }

        return examples.Count > 0 ? examples : throw new CaldException($"{path}: no question in this file; expected one JSON object a line");
    }

    private static QuestionForm FormOf(JsonRow row) =>
        Array.Find(Forms, form => row.Has(form.Fields)) ?? throw new CaldException(
            $"{row.Place}: fields {row.FieldNames} are of no form that is known: {string.Join("; ", Forms.Select(form => string.Join(", ", form.Fields)))}");

    private static ZeroShotExample Checked(Question question, JsonRow row, int line)
    {
        (IReadOnlyList<ZeroShotCandidate> candidates, int? gold) = question;
        if (gold is null ? candidates.Count != 1 : candidates.Count < 2)
            throw new CaldException($"{row.Place}: {candidates.Count} choices; a question needs at least two");
        if (gold is { } index && (index < 0 || index >= candidates.Count))
            throw new CaldException($"{row.Place}: the right choice is number {index}, counted from 0, of {candidates.Count}");
        for (int i = 0; i < candidates.Count; i++)
        {
            if (string.IsNullOrWhiteSpace(candidates[i].Continuation) || candidates[i].Characters == 0)
                throw new CaldException($"{row.Place}: choice {i} is blank; there is nothing to score");
        }

        return new ZeroShotExample(candidates, gold, line);
    }
}
