using LinearCald.Distillation.Recipes;

namespace LinearCald.Distillation.Training;

/// <summary>How well a model does on a part of a task.</summary>
/// <param name="Metrics">Values by the name that recipes use: <c>accuracy</c>, <c>perplexity</c>, ….</param>
/// <param name="Loss">Mean task loss.</param>
/// <param name="Examples">How many were evaluated.</param>
/// <param name="Seconds">Wall-clock time.</param>
public sealed record Evaluation(IReadOnlyDictionary<string, double> Metrics, double Loss, int Examples, double Seconds)
{
    /// <summary>The metric of that name.</summary>
    /// <exception cref="CaldException">This kind of task has no such metric.</exception>
    public double Of(TaskMetric metric) => Metrics.TryGetValue(RecipeSchema.NameOf(metric), out double value)
        ? value
        : throw new CaldException($"task.metric {RecipeSchema.NameOf(metric)} is not measured on this kind of task; it has {string.Join(", ", Metrics.Keys)}");

    /// <summary>Equal by content, the metrics too.</summary>
    public bool Equals(Evaluation? other) => other is not null
        && (Loss, Examples, Seconds) == (other.Loss, other.Examples, other.Seconds)
        && Metrics.Count == other.Metrics.Count
        && Metrics.All(m => other.Metrics.TryGetValue(m.Key, out double value) && value.Equals(m.Value));

    public override int GetHashCode() => HashCode.Combine(Loss, Examples, Seconds, Metrics.Count);
}
