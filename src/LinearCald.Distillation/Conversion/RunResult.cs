using System.Text.Json;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Training;
using LinearCald.Nn.Files;

namespace LinearCald.Distillation.Conversion;

/// <summary><c>results.json</c> of a finished run: the row of the comparison and all evaluations. Its presence says that the run is complete.</summary>
public static class RunResult
{
    private const string FileName = "results.json";
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>The row of the finished run in a folder; null when there is none.</summary>
    /// <exception cref="CaldException">The file is damaged.</exception>
    public static ResultRow? Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<Content>(File.ReadAllBytes(path), Json)?.Row;
        }
        catch (JsonException e)
        {
            throw new CaldException($"{path} is damaged ({e.Message}); delete it to run the last part again", e);
        }
    }

    internal static void Write(string folder, ResultRow row, TrainingResult result) => AtomicFile.WriteText(
        Path.Combine(folder, FileName),
        JsonSerializer.Serialize(new Content(row, result.BestStep, result.Steps, result.Best, result.Evaluations), Json) + "\n");

    private sealed record Content(ResultRow Row, int BestStep, int Steps, Evaluation Best, IReadOnlyList<EvaluationPoint> Evaluations);
}
