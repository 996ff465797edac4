using System.Text.Json;

namespace LinearCald.Distillation.Scoring;

/// <summary>Answers of another run or program, in the format of <see cref="ZeroShotAnswer.ToJson"/>.</summary>
public sealed class PredictionFile
{
    private readonly string path;
    private readonly Dictionary<(string Task, int Line), Row> rows;

    private PredictionFile(string path, Dictionary<(string Task, int Line), Row> rows)
    {
        this.path = path;
        this.rows = rows;
    }

    /// <summary>Reads JSON lines with <c>task</c>, <c>line</c>, <c>choice</c>, <c>choice_norm</c>, <c>right</c> and <c>loglikelihoods</c>.</summary>
    /// <exception cref="CaldException">No such file, or a malformed line.</exception>
    public static PredictionFile Read(string path)
    {
        if (!File.Exists(path))
            throw new CaldException($"{path}: there is no such file; give the predictions of another run");
        Dictionary<(string Task, int Line), Row> rows = [];
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            try
            {
                using JsonDocument document = JsonDocument.Parse(line);
                JsonElement row = document.RootElement;
                rows[(row.GetProperty("task").GetString()!, row.GetProperty("line").GetInt32())] = new Row(
                    row.GetProperty("choice").GetInt32(), row.GetProperty("choice_norm").GetInt32(), row.GetProperty("right").GetBoolean(),
                    [.. row.GetProperty("loglikelihoods").EnumerateArray().Select(v => v.GetDouble())]);
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
            {
                throw new CaldException($"{path}:{number}: not an answer: expected an object with task, line, choice, choice_norm, right and loglikelihoods", e);
            }
        }

        return new PredictionFile(path, rows);
    }

    /// <summary>Compares a task's answers with those of the file; what else is in the file is not looked at.</summary>
    /// <exception cref="CaldException">The file lacks a question or has another number of candidates.</exception>
    public PredictionComparison Compare(ZeroShotResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        List<int> differences = [];
        double largest = 0;
        foreach (ZeroShotAnswer answer in result.Answers)
        {
            if (!rows.TryGetValue((result.Task, answer.Line), out Row? other))
                throw new CaldException($"{path}: no answer to line {answer.Line} of {result.Task}; run the other program on the same file, with the same limit");
            if (other.LogLikelihoods.Length != answer.Scores.Count)
                throw new CaldException($"{path}: {other.LogLikelihoods.Length} candidates for line {answer.Line} of {result.Task}, which has {answer.Scores.Count}");
            if (other.Choice != answer.Choice || other.NormalizedChoice != answer.NormalizedChoice || other.Right != answer.IsRight)
                differences.Add(answer.Line);
            for (int i = 0; i < other.LogLikelihoods.Length; i++)
                largest = Math.Max(largest, Math.Abs(answer.Scores[i].LogLikelihood - other.LogLikelihoods[i]) / Math.Max(1, Math.Abs(other.LogLikelihoods[i])));
        }

        return new PredictionComparison(result.Task, result.Answers.Count, differences, largest);
    }

    private sealed record Row(int Choice, int NormalizedChoice, bool Right, double[] LogLikelihoods);
}
