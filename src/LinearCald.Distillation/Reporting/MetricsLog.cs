using System.Text;
using System.Text.Json;

namespace LinearCald.Distillation.Reporting;

/// <summary>
/// `metrics.jsonl` of one run: one object a line with `kind` step, evaluation or note. Opened again for a resumed run it first drops
/// what was written after the checkpoint that the run goes on from, so that an interrupted and an uninterrupted run leave the same steps.
/// </summary>
public sealed class MetricsLog : IProgressSink, IDisposable
{
    private readonly StreamWriter writer;
    private readonly int every;

    private int lastStep;

    private MetricsLog(StreamWriter writer, int completedSteps, int every)
    {
        this.writer = writer;
        this.every = every;
        lastStep = completedSteps;
    }

    /// <param name="path">The file; created or appended to.</param>
    /// <param name="completedSteps">Updates that the resumed checkpoint holds; later lines, and torn ones, are dropped. 0 starts afresh.</param>
    /// <param name="every">Write one step in so many; evaluations and notes always.</param>
    /// <exception cref="CaldException">The file cannot be written.</exception>
    public static MetricsLog Open(string path, int completedSteps = 0, int every = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(every, 1);
        try
        {
            List<string> kept = completedSteps > 0 && File.Exists(path) ? [.. File.ReadLines(path).Where(l => StepOf(l) <= completedSteps)] : [];
            string temporary = path + ".tmp";
            File.WriteAllLines(temporary, kept);
            File.Move(temporary, path, overwrite: true);
            FileStream stream = new(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
            return new MetricsLog(new StreamWriter(stream, new UTF8Encoding(false)), completedSteps, every);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CaldException($"cannot write {path}: {e.Message}", e);
        }
    }

    public void Report(in StepReport step)
    {
        lastStep = step.Step;
        if (step.Step % every != 0 && step.Step != step.TotalSteps)
            return;
        Write(new JsonLine().Add("kind", "step").Add("stage", step.Stage).Add("step", step.Step).Add("epoch", step.Epoch)
            .Add("task_loss", step.TaskLoss).Add("layer_loss", Known(step.LayerLoss)).Add("kl_loss", Known(step.KlLoss))
            .Add("lr", step.LearningRate).Add("gradient_norm", Known(step.GradientNorm)).Add("tokens", step.Tokens).Add("seconds", step.Seconds));
    }

    public void Report(in EvaluationReport evaluation)
    {
        Write(new JsonLine().Add("kind", "evaluation").Add("stage", evaluation.Stage).Add("step", evaluation.Step)
            .Add("metric", evaluation.Metric).Add("value", evaluation.Value).Add("loss", evaluation.Loss)
            .Add("best", evaluation.Best).Add("is_best", evaluation.IsBest).Add("seconds", evaluation.Seconds));
        Flush();
    }

    public void Note(string line) => Write(new JsonLine().Add("kind", "note").Add("step", lastStep).Add("text", line));

    /// <summary>Hands everything to the operating system; call before a checkpoint is declared complete.</summary>
    /// <exception cref="CaldException">The disk is full or gone.</exception>
    public void Flush() => Guarded(writer.Flush);

    public void Dispose() => writer.Dispose();

    // A term that was not computed is left out; a task loss that became NaN is written, as null.
    private static double? Known(double value) => double.IsNaN(value) ? null : value;

    private void Write(JsonLine line) => Guarded(() => writer.WriteLine(line.ToString()));

    private static void Guarded(Action write)
    {
        try
        {
            write();
        }
        catch (IOException e)
        {
            throw new CaldException($"cannot write metrics.jsonl: {e.Message}", e);
        }
    }

    private static int StepOf(string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            return document.RootElement.TryGetProperty("step", out JsonElement step) ? step.GetInt32() : 0;
        }
        catch (JsonException)
        {
            return int.MaxValue;
        }
    }
}
