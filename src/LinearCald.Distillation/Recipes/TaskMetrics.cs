using System.Globalization;

namespace LinearCald.Distillation.Recipes;

/// <summary>How metrics are compared and shown.</summary>
public static class TaskMetrics
{
    /// <summary>Whether a smaller value is a better one.</summary>
    public static bool LowerIsBetter(this TaskMetric metric) => metric is TaskMetric.Perplexity or TaskMetric.BitsPerByte or TaskMetric.Wer or TaskMetric.Cer;

    /// <summary>Whether the metric of that name is a fraction, shown in per cent; unknown names are.</summary>
    public static bool IsFraction(string metric) =>
        metric != RecipeSchema.NameOf(TaskMetric.Perplexity) && metric != RecipeSchema.NameOf(TaskMetric.BitsPerByte);

    /// <summary>A value as people read it: <c>64.3 %</c>, <c>31.72</c>, <c>1.332</c>.</summary>
    /// <param name="metric">Its name.</param>
    /// <param name="value">A fraction where <see cref="IsFraction"/> says so.</param>
    public static string Text(string metric, double value) => IsFraction(metric)
        ? string.Create(CultureInfo.InvariantCulture, $"{100 * value:F1} %")
        : value.ToString(metric == RecipeSchema.NameOf(TaskMetric.Perplexity) ? "F2" : "F4", CultureInfo.InvariantCulture);
}
