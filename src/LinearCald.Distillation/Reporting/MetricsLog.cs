using System.Text.Json;
using LinearCald.Nn.Files;

namespace LinearCald.Distillation.Reporting;

/// <summary>
/// `metrics.jsonl` of one run: one object a line with `kind` step, evaluation or note. Opened again for a resumed run it first drops
/// what was written after the checkpoint that the run goes on from, so that an interrupted and an uninterrupted run leave the same steps.
/// </summary>
public sealed class MetricsLog : IProgressSink, IDisposable
{
    private readonly JsonLinesWriter rows;
    private readonly int every;
    private int lastStep;

    private MetricsLog(JsonLinesWriter rows, int completedSteps, int every)
    {
        this.rows = rows;
        this.every = every;
        lastStep = completedSteps;
    }

    /// <param name="path">The file; created with its folder, or continued.</param>
    /// <param name="completedSteps">Updates that the resumed checkpoint holds; later rows are dropped. 0 starts the file afresh.</param>
    /// <param name="every">Write one step in so many, and the last; evaluations and notes always.</param>
    /// <exception cref="CaldException">The file cannot be written.</exception>
    public static MetricsLog Open(string path, int completedSteps = 0, int every = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(every, 1);
        return new MetricsLog(completedSteps > 0 ? JsonLinesWriter.Resume(path, completedSteps) : JsonLinesWriter.Create(path), completedSteps, every);
    }

    public void Report(in StepReport step)
    {
        lastStep = step.Step;
        if (step.Step % every != 0 && step.Step != step.TotalSteps)
            return;
        StepReport s = step;
        rows.Write(json =>
        {
            json.WriteString("kind", "step");
            json.WriteString("stage", s.Stage);
            json.WriteNumber("step", s.Step);
            json.WriteNumber("epoch", s.Epoch);
            Number(json, "task_loss", s.TaskLoss);
            Known(json, "layer_loss", s.LayerLoss);
            Known(json, "kl_loss", s.KlLoss);
            json.WriteNumber("lr", s.LearningRate);
            Known(json, "gradient_norm", s.GradientNorm);
            json.WriteNumber("tokens", s.Tokens);
            if (s.Skipped > 0)
                json.WriteNumber("skipped", s.Skipped);
            if (s.Flops > 0)
                json.WriteNumber("flops", s.Flops);
            if (s.MemoryBytes > 0)
                json.WriteNumber("memory_bytes", s.MemoryBytes);
            json.WriteNumber("seconds", s.Seconds);
        });
    }

    public void Report(in EvaluationReport evaluation)
    {
        EvaluationReport e = evaluation;
        rows.Write(json =>
        {
            json.WriteString("kind", "evaluation");
            json.WriteString("stage", e.Stage);
            json.WriteNumber("step", e.Step);
            json.WriteString("metric", e.Metric);
            Number(json, "value", e.Value);
            Number(json, "loss", e.Loss);
            Number(json, "best", e.Best);
            json.WriteBoolean("is_best", e.IsBest);
            json.WriteNumber("seconds", e.Seconds);
        });
    }

    public void Note(string line) => rows.Write(json =>
    {
        json.WriteString("kind", "note");
        json.WriteNumber("step", lastStep);
        json.WriteString("text", line);
    });

    /// <summary>Waits until all rows are on the disk; call together with a checkpoint.</summary>
    public void Flush() => rows.FlushToDisk();

    public void Dispose() => rows.Dispose();

    // A term that was not computed is left out; a loss that became NaN is written, as null.
    private static void Known(Utf8JsonWriter json, string name, double value)
    {
        if (!double.IsNaN(value))
            Number(json, name, value);
    }

    private static void Number(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
            json.WriteNumber(name, value);
        else
            json.WriteNull(name);
    }
}
