using System.Text.Json;

namespace LinearCald.Distillation.Scoring;

/// <summary>Answers of two runs on the same file, question by question: ours, and those of another program in the format of <c>--predictions</c>.</summary>
/// <param name="Task">Name of the task.</param>
/// <param name="Examples">Questions that both have answered.</param>
/// <param name="Differences">Lines of the questions whose answers differ.</param>
/// <param name="LargestError">Largest |ours − theirs| / max(1, |theirs|) of a log-likelihood.</param>
public sealed record PredictionComparison(string Task, int Examples, IReadOnlyList<int> Differences, double LargestError)
{
    /// <summary>Compares a task's answers with a file's.</summary>
    /// <param name="result">Ours.</param>
    /// <param name="path">JSON lines with <c>task</c>, <c>line</c>, <c>choice</c>, <c>choice_norm</c>, <c>right</c>, <c>loglikelihoods</c>; other tasks in it are passed over.</param>
    /// <exception cref="CaldException">Malformed, or it lacks a question or has another number of candidates.</exception>
    public static PredictionComparison With(ZeroShotResult result, string path)
    {
        ArgumentNullException.ThrowIfNull(result);
        Dictionary<int, Row> theirs = Read(path, result.Task);
        List<int> differences = [];
        double largest = 0;
        foreach (ZeroShotAnswer answer in result.Answers)
        {
            if (!theirs.TryGetValue(answer.Line, out Row? other))
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

    private static Dictionary<int, Row> Read(string path, string task)
    {
        if (!File.Exists(path))
            throw new CaldException($"{path}: there is no such file; give the predictions of another run");
        Dictionary<int, Row> rows = [];
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            try
            {
                using JsonDocument document = JsonDocument.Parse(line);
                JsonElement row = document.RootElement;
                if (row.GetProperty("task").GetString() == task)
                {
                    rows[row.GetProperty("line").GetInt32()] = new Row(
                        row.GetProperty("choice").GetInt32(), row.GetProperty("choice_norm").GetInt32(), row.GetProperty("right").GetBoolean(),
                        [.. row.GetProperty("loglikelihoods").EnumerateArray().Select(v => v.GetDouble())]);
                }
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
            {
                throw new CaldException($"{path}:{number}: not an answer: expected an object with task, line, choice, choice_norm, right and loglikelihoods", e);
            }
        }

        return rows;
    }

    private sealed record Row(int Choice, int NormalizedChoice, bool Right, double[] LogLikelihoods);
}
