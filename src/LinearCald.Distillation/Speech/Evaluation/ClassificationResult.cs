using LinearCald.Data.Speech;
using LinearCald.Data.Speech.Scoring;
using LinearCald.Distillation.Reporting;

namespace LinearCald.Distillation.Speech.Evaluation;

/// <summary>An utterance that was classified.</summary>
/// <param name="Example">What was heard.</param>
/// <param name="Predicted">The most likely class a target.</param>
/// <param name="LogProbabilities">ln of its probability a target.</param>
/// <param name="Losses">−ln of the probability of the right class a target.</param>
public sealed record ClassifiedUtterance(SpeechExample Example, IReadOnlyList<int> Predicted, IReadOnlyList<double> LogProbabilities, IReadOnlyList<double> Losses)
{
    /// <summary>The utterance as one JSON object, with three members a target: its name, and its name with _predicted and _log_probability.</summary>
    /// <param name="targets">Names of targets and classes.</param>
    public string ToJson(IReadOnlyList<SpeechTarget> targets)
    {
        ArgumentNullException.ThrowIfNull(targets);
        JsonLine line = new JsonLine().Add("name", Example.Name).Add("file", Example.File).Add("seconds", Math.Round(Example.Seconds, 3));
        for (int t = 0; t < targets.Count; t++)
        {
            line.Add(targets[t].Name, targets[t].Classes[Example.Labels[t]])
                .Add(targets[t].Name + "_predicted", targets[t].Classes[Predicted[t]])
                .Add(targets[t].Name + "_log_probability", LogProbabilities[t]);
        }

        return line.ToString();
    }
}

/// <summary>How well a model classifies.</summary>
/// <param name="Utterances">In the order given.</param>
/// <param name="Accuracy">Of each target, their mean, and jointly.</param>
/// <param name="Seconds">Wall-clock time, reading included.</param>
public sealed record ClassificationResult(IReadOnlyList<ClassifiedUtterance> Utterances, TargetAccuracy Accuracy, double Seconds)
{
    /// <summary>Length of the audio.</summary>
    public double AudioSeconds => Utterances.Sum(u => u.Example.Seconds);

    /// <summary>The mean over utterances and targets of −ln p(right class).</summary>
    public double Loss => Utterances.Average(u => u.Losses.Average());

    /// <summary>By the names that recipes use: <c>accuracy</c>, the mean over targets as the reference counts it, and <c>joint-accuracy</c>; with several targets also <c>accuracy-NAME</c> of each.</summary>
    public IReadOnlyDictionary<string, double> Metrics
    {
        get
        {
            Dictionary<string, double> metrics = new() { ["accuracy"] = Accuracy.Mean, ["joint-accuracy"] = Accuracy.Joint };
            for (int t = 0; t < (Accuracy.Targets.Count > 1 ? Accuracy.Targets.Count : 0); t++)
            {
                metrics["accuracy-" + Accuracy.Targets[t].Name] = Accuracy.Accuracy(t);
            }

            return metrics;
        }
    }
}
