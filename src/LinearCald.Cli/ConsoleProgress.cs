using System.Globalization;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;

namespace LinearCald.Cli;

/// <summary>
/// One line on the terminal that is redrawn at most ten times a second: step, epoch, loss terms, learning rate, tokens a second, time
/// left, best metric. Says nothing at all when disabled.
/// </summary>
internal sealed class ConsoleProgress(Terminal terminal, bool enabled, TimeProvider? clock = null) : IProgressSink, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly TimeProvider clock = clock ?? TimeProvider.System;
    private readonly ProgressPace pace = new();
    private long lastDrawn;
    private bool drawn;
    private string best = "";
    private string stage = "";

    public void Report(in StepReport step)
    {
        if (!enabled)
            return;
        if (step.Stage != stage)
        {
            stage = step.Stage;
            best = "";
            pace.Restart();
        }

        pace.Count(step);
        long now = clock.GetTimestamp();
        if (drawn && clock.GetElapsedTime(lastDrawn, now) < Interval && step.Step != step.TotalSteps)
            return;
        lastDrawn = now;
        Draw(Line(step));
    }

    public void Report(in EvaluationReport evaluation) =>
        best = $" · best {evaluation.Metric} {TaskMetrics.Text(evaluation.Metric, evaluation.Best)}";

    /// <summary>Draws a line of another kind, such as "piqa 320/3676"; at the same pace.</summary>
    public void Show(string line)
    {
        long now = clock.GetTimestamp();
        if (!enabled || (drawn && clock.GetElapsedTime(lastDrawn, now) < Interval))
            return;
        lastDrawn = now;
        Draw(line);
    }

    public void Note(string line)
    {
        if (!enabled)
            return;
        Clear();
        terminal.Say(line);
    }

    /// <summary>Clears the line, so that what follows starts at the margin.</summary>
    public void Dispose() => Clear();

    private string Line(in StepReport step)
    {
        string kl = double.IsNaN(step.KlLoss) ? "" : $" kl {Loss(step.KlLoss)}";
        string layer = double.IsNaN(step.LayerLoss) ? "" : $" layer {Loss(step.LayerLoss)}";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{step.Stage} {step.Step}/{step.TotalSteps} · epoch {step.Epoch:F1} · task {Loss(step.TaskLoss)}{layer}{kl} · lr {step.LearningRate:0.0e-0}")
            + $" · {Rate(pace.TokensPerSecond)} tok/s{Use(step)} · ETA {Clock(pace.SecondsLeft(step))}{best}{(step.Skipped > 0 ? $" · {step.Skipped} skipped" : "")}";
    }

    /// <summary>Share of the device's peak and memory, where they are known.</summary>
    private string Use(in StepReport step)
    {
        string share = double.IsNaN(step.PeakFlops) || pace.FlopsPerSecond == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" · MFU {100 * pace.FlopsPerSecond / step.PeakFlops:F0} %");
        return step.MemoryBytes == 0 ? share : string.Create(CultureInfo.InvariantCulture, $"{share} · {step.MemoryBytes / (double)(1 << 30):F1} GiB");
    }

    private void Draw(string line)
    {
        int width = Math.Max(20, terminal.Error.Profile.Width);
        string cut = line.Length < width ? line : line[..(width - 1)];
        Write(terminal.Error.Profile.Capabilities.Ansi ? $"\r{cut}\e[K" : $"\r{cut.PadRight(width - 1)}");
        drawn = true;
    }

    public void Clear()
    {
        if (!drawn)
            return;
        Draw("");
        Write("\r");
        drawn = false;
    }

    private void Write(string text)
    {
        TextWriter writer = terminal.Error.Profile.Out.Writer;
        writer.Write(text);
        writer.Flush();
    }

    private static string Loss(double value) => value.ToString(Math.Abs(value) is < 0.01 and > 0 ? "0.0e-0" : "F3", CultureInfo.InvariantCulture);

    private static string Rate(double perSecond) => perSecond switch
    {
        >= 1e6 => (perSecond / 1e6).ToString("F1", CultureInfo.InvariantCulture) + "M",
        >= 1e4 => (perSecond / 1e3).ToString("F1", CultureInfo.InvariantCulture) + "k",
        _ => perSecond.ToString("F0", CultureInfo.InvariantCulture),
    };

    private static string Clock(double seconds) => !double.IsFinite(seconds) ? "?" : seconds >= 3600
        ? $"{(int)(seconds / 3600)}:{TimeSpan.FromSeconds(seconds):mm\\:ss}"
        : $"{(int)(seconds / 60)}:{(int)seconds % 60:00}";
}

/// <summary>Speed of a run: tokens a second over the last few seconds, time left from the mean since it began.</summary>
internal sealed class ProgressPace
{
    private const double Window = 5;

    private (double Seconds, int Step)? first;
    private double windowStart;
    private long windowTokens;
    private double windowFlops;

    /// <summary>Floating-point operations a second; 0 before the second step.</summary>
    public double FlopsPerSecond { get; private set; }

    /// <summary>Tokens a second; 0 before the second step.</summary>
    public double TokensPerSecond { get; private set; }

    public void Restart() => (first, windowTokens, TokensPerSecond, windowFlops, FlopsPerSecond) = (null, 0, 0, 0, 0);

    public void Count(in StepReport step)
    {
        if (first is null)
        {
            first = (step.Seconds, step.Step);
            windowStart = step.Seconds;
            return;
        }

        windowTokens += step.Tokens;
        windowFlops += step.Flops;
        double elapsed = step.Seconds - windowStart;
        if (elapsed <= 0)
            return;
        TokensPerSecond = windowTokens / elapsed;
        FlopsPerSecond = windowFlops / elapsed;

        // Halving keeps the recent past in the mean without a jump.
        if (elapsed > Window)
            (windowStart, windowTokens, windowFlops) = (step.Seconds - elapsed / 2, windowTokens / 2, windowFlops / 2);
    }

    /// <summary>Seconds to the end of the run, evaluations so far included; NaN before the second step.</summary>
    public double SecondsLeft(in StepReport step) => first is { } start && step.Step > start.Step
        ? (step.Seconds - start.Seconds) / (step.Step - start.Step) * (step.TotalSteps - step.Step)
        : double.NaN;
}
