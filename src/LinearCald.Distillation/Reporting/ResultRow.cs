using System.Globalization;
using LinearCald.Distillation.Recipes;

namespace LinearCald.Distillation.Reporting;

/// <summary>One row of a comparison: how well the model of one mode does, what it cost and how large it is.</summary>
/// <param name="Mode">teacher, unguided, target, source-init, trajectory, waypoint or hybrid.</param>
/// <param name="Metric">accuracy, f1, matthews, perplexity, bits-per-byte.</param>
/// <param name="Value">The metric, as a fraction where it is one; the mean over several runs.</param>
/// <param name="Seconds">Wall-clock time of the training that made the model.</param>
/// <param name="Parameters">Number of parameters, shared ones once.</param>
public sealed record ResultRow(string Mode, string Metric, double Value, double Seconds, long Parameters)
{
    /// <summary>The recipe's variant, where a mode has several rows: `target-pool`.</summary>
    public string? Variant { get; init; }

    /// <summary>Start of the projections: normal or pool; null for a teacher.</summary>
    public string? ProjectionInit { get; init; }

    /// <summary>Part of the data that the metric was taken on: validation or test.</summary>
    public string? Split { get; init; }

    /// <summary>The metric on the test part, of the model that was best on validation; null when the task has no labelled test part.</summary>
    public double? TestValue { get; init; }

    /// <summary>Seed of the run; null for a mean over several.</summary>
    public int? Seed { get; init; }

    /// <summary>Number of runs behind the row.</summary>
    public int Runs { get; init; } = 1;

    /// <summary>Standard deviation over the runs (divisor n − 1); null for a single run.</summary>
    public double? Deviation { get; init; }

    /// <summary>The row as one JSON object.</summary>
    public string ToJson() => new JsonLine()
        .Add("mode", Mode).Add("variant", Variant).Add("projection_init", ProjectionInit).Add("split", Split)
        .Add("metric", Metric).Add("value", Value).Add("test_value", TestValue).Add("deviation", Deviation).Add("runs", Runs > 1 ? Runs : null)
        .Add("seed", Seed).Add("seconds", Math.Round(Seconds, 3)).Add("parameters", Parameters).ToString();

    /// <summary>One row for each mode, variant, split and metric: mean and deviation over seeds, seconds and all. Order of first sight.</summary>
    public static IReadOnlyList<ResultRow> OverSeeds(IEnumerable<ResultRow> rows) =>
    [
        .. rows.GroupBy(row => (row.Mode, row.Variant, row.ProjectionInit, row.Split, row.Metric, row.Parameters)).Select(group =>
        {
            ResultRow[] runs = [.. group];
            if (runs.Length == 1)
                return runs[0];
            double mean = runs.Average(row => row.Value);
            double variance = runs.Sum(row => (row.Value - mean) * (row.Value - mean)) / (runs.Length - 1);
            return runs[0] with
            {
                Value = mean,
                TestValue = runs.All(row => row.TestValue is not null) ? runs.Average(row => row.TestValue!.Value) : null,
                Deviation = Math.Sqrt(variance),
                Runs = runs.Length,
                Seed = null,
                Seconds = runs.Average(row => row.Seconds),
            };
        }),
    ];

    /// <summary>The rows as an aligned table; columns that no row fills are left out. Fractions are shown in per cent.</summary>
    public static string Table(IReadOnlyList<ResultRow> rows)
    {
        bool fractions = rows.All(row => TaskMetrics.IsFraction(row.Metric));
        (double scale, string format, string unit) = fractions ? (100.0, "F2", " %") : (1.0, "F4", "");
        (string Head, Func<ResultRow, string?> Cell)[] columns =
        [
            ("mode", row => row.Variant ?? row.Mode),
            ("projection", row => row.ProjectionInit),
            ("split", row => row.Split),
            ("metric", row => row.Metric),
            ("value" + unit, row => Number(scale * row.Value, format)),
            ("test" + unit, row => row.TestValue is { } test ? Number(scale * test, format) : null),
            ("± sd", row => row.Deviation is { } deviation ? Number(scale * deviation, format) : null),
            ("runs", row => row.Runs > 1 ? Number(row.Runs, "F0") : null),
            ("seconds", row => Number(row.Seconds, "F1")),
            ("parameters", row => row.Parameters.ToString("N0", CultureInfo.InvariantCulture)),
        ];
        (string Head, Func<ResultRow, string?> Cell)[] used = [.. columns.Where(column => rows.Any(row => column.Cell(row) is not null))];
        TextTable table = new([.. used.Select(column => column.Head)]);
        foreach (ResultRow row in rows)
            table.Add([.. used.Select(column => column.Cell(row) ?? "-")]);
        return table.ToString();
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
