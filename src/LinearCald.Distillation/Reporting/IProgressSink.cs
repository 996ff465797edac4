namespace LinearCald.Distillation.Reporting;

/// <summary>What a trainer tells about one finished update. A loss term that was not computed is NaN.</summary>
/// <param name="Stage">What is running: "teacher", "target", "trajectory", …</param>
/// <param name="Step">Updates completed, this one included.</param>
/// <param name="TotalSteps">Updates of the whole run.</param>
/// <param name="Epoch">Epochs completed, with fraction.</param>
/// <param name="TaskLoss">Task loss before its weight.</param>
/// <param name="LayerLoss">Layerwise distillation loss before its weight.</param>
/// <param name="KlLoss">Output distillation loss before its weight.</param>
/// <param name="LearningRate">The rate of this update.</param>
/// <param name="Tokens">Tokens in this update's batch, padding not counted.</param>
/// <param name="Seconds">Time since the run started or resumed.</param>
/// <param name="GradientNorm">Global L2 norm before clipping; NaN when not computed.</param>
/// <param name="Skipped">Updates left out so far because their gradient was not finite.</param>
/// <param name="Flops">Floating-point operations of this update; 0 when not counted.</param>
/// <param name="PeakFlops">What the device could do in a second; NaN when not known.</param>
/// <param name="MemoryBytes">Most memory that tensors have taken on the device so far.</param>
public readonly record struct StepReport(
    string Stage,
    int Step,
    int TotalSteps,
    double Epoch,
    double TaskLoss,
    double LayerLoss,
    double KlLoss,
    double LearningRate,
    int Tokens,
    double Seconds,
    double GradientNorm,
    int Skipped = 0,
    double Flops = 0,
    double PeakFlops = double.NaN,
    long MemoryBytes = 0);

/// <summary>One evaluation during a run.</summary>
/// <param name="Stage">As in <see cref="StepReport"/>.</param>
/// <param name="Step">Updates completed.</param>
/// <param name="Metric">accuracy, f1 or matthews.</param>
/// <param name="Value">The metric.</param>
/// <param name="Loss">Mean task loss over the examples evaluated.</param>
/// <param name="Best">The best value so far, this one included.</param>
/// <param name="IsBest">This evaluation is the best so far by the recipe's rule.</param>
/// <param name="Seconds">Time since the run started or resumed.</param>
public readonly record struct EvaluationReport(
    string Stage, int Step, string Metric, double Value, double Loss, double Best, bool IsBest, double Seconds);

/// <summary>
/// Where a trainer reports to. Called on the training thread, so an implementation is quick and never throws for the sake of a display.
/// </summary>
public interface IProgressSink
{
    /// <summary>After every update.</summary>
    void Report(in StepReport step);

    /// <summary>After every evaluation.</summary>
    void Report(in EvaluationReport evaluation);

    /// <summary>One line of news: a waypoint loaded, a checkpoint written, a stage begun.</summary>
    void Note(string line);
}

/// <summary>Sends everything to nobody.</summary>
public sealed class SilentProgress : IProgressSink
{
    public static SilentProgress Instance { get; } = new();

    public void Report(in StepReport step)
    {
    }

    public void Report(in EvaluationReport evaluation)
    {
    }

    public void Note(string line)
    {
    }
}

/// <summary>Sends everything to several sinks, in order.</summary>
public sealed class ProgressFan(params IReadOnlyList<IProgressSink> sinks) : IProgressSink
{
    public void Report(in StepReport step)
    {
        foreach (IProgressSink sink in sinks)
            sink.Report(in step);
    }

    public void Report(in EvaluationReport evaluation)
    {
        foreach (IProgressSink sink in sinks)
            sink.Report(in evaluation);
    }

    public void Note(string line)
    {
        foreach (IProgressSink sink in sinks)
            sink.Note(line);
    }
}
