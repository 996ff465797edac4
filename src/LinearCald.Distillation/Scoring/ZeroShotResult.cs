using LinearCald.Data.ZeroShot;
using LinearCald.Distillation.Reporting;

namespace LinearCald.Distillation.Scoring;

/// <summary>One figure of a task.</summary>
/// <param name="Metric">What.</param>
/// <param name="Value">A fraction for accuracies; perplexity as it is.</param>
/// <param name="StandardError">Of the mean over the examples; NaN for a single example.</param>
public readonly record struct ZeroShotFigure(ZeroShotMetric Metric, double Value, double StandardError);

/// <summary>What a model answered to one question.</summary>
/// <param name="Line">Line of the task's file, from 1.</param>
/// <param name="Gold">The right choice; null where there is one candidate only.</param>
/// <param name="Choice">The candidate of the highest log-likelihood, of equal ones the first.</param>
/// <param name="NormalizedChoice">The same with log-likelihoods divided by the candidates' characters.</param>
/// <param name="Scores">One a candidate.</param>
public sealed record ZeroShotAnswer(int Line, int? Gold, int Choice, int NormalizedChoice, IReadOnlyList<ContinuationScore> Scores)
{
    /// <summary>Whether the choice is the right one; for a single candidate whether it is the greedy one.</summary>
    public bool IsRight => Gold is { } gold ? Choice == gold : Scores[0].IsGreedy;

    /// <summary>Whether the normalised choice is the right one.</summary>
    public bool IsRightNormalized => Gold is { } gold ? NormalizedChoice == gold : Scores[0].IsGreedy;

    /// <summary>The answer as one JSON object: what <c>--predictions</c> writes.</summary>
    /// <param name="task">Name of the task.</param>
    public string ToJson(string task) => new JsonLine()
        .Add("task", task).Add("line", Line).Add("gold", Gold).Add("choice", Choice).Add("choice_norm", NormalizedChoice).Add("right", IsRight)
        .AddList("loglikelihoods", Scores.Select(s => s.LogLikelihood)).AddList("greedy", Scores.Select(s => s.IsGreedy)).AddList("tokens", Scores.Select(s => (long)s.Tokens))
        .ToString();
}

/// <summary>How a model does on a task.</summary>
/// <param name="Task">Name.</param>
/// <param name="Figures">In the order of the task's metrics.</param>
/// <param name="Answers">In the order of the file.</param>
/// <param name="Seconds">Wall-clock time.</param>
public sealed record ZeroShotResult(string Task, IReadOnlyList<ZeroShotFigure> Figures, IReadOnlyList<ZeroShotAnswer> Answers, double Seconds)
{
    /// <summary>The figure of a metric, null where the task has none.</summary>
    public ZeroShotFigure? Of(ZeroShotMetric metric) => Figures.Where(f => f.Metric == metric).Select(f => (ZeroShotFigure?)f).FirstOrDefault();
}
