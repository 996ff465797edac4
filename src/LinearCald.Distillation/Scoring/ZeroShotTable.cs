using System.Globalization;
using System.Text;
using LinearCald.Data.ZeroShot;

namespace LinearCald.Distillation.Scoring;

/// <summary>Results as a Markdown table in the layout that users of lm-evaluation-harness know.</summary>
public static class ZeroShotTable
{
    private static readonly (string Head, bool Right)[] Columns =
        [("Tasks", false), ("Version", true), ("Filter", false), ("n-shot", true), ("Metric", false), ("", false), ("Value", true), ("", false), ("Stderr", true)];

    /// <summary>The harness's name of a metric.</summary>
    public static string NameOf(ZeroShotMetric metric) => metric switch
    {
        ZeroShotMetric.Accuracy => "acc",
        ZeroShotMetric.NormalizedAccuracy => "acc_norm",
        _ => "perplexity",
    };

    /// <summary>Unweighted mean of the tasks' plain accuracies: what the published comparison reports.</summary>
    public static double MeanAccuracy(IEnumerable<ZeroShotResult> results) => results.Average(r => r.Of(ZeroShotMetric.Accuracy)!.Value.Value);

    /// <summary>The table, each line ended by '\n'.</summary>
    public static string Of(IReadOnlyList<ZeroShotResult> results)
    {
        ArgumentNullException.ThrowIfNull(results);
        List<string[]> rows = [];
        foreach (ZeroShotResult result in results)
        {
            bool first = true;
            foreach (ZeroShotFigure figure in result.Figures)
            {
                string arrow = figure.Metric == ZeroShotMetric.Perplexity ? "↓" : "↑";

                // The rules are those of the harness's first version of its tasks; of others it has no word.
                string version = ZeroShotTasks.Published.Contains(result.Task) ? "1" : "-";
                rows.Add([first ? result.Task : "", first ? version : "", "none", "0", NameOf(figure.Metric), arrow, Number(figure.Value), "±", Number(figure.StandardError)]);
                first = false;
            }
        }

        int[] widths = [.. Columns.Select((column, c) => rows.Select(row => row[c].Length).Append(column.Head.Length).Append(column.Right ? 2 : 1).Max())];
        StringBuilder text = new();
        Line(text, c => Centred(Columns[c].Head, widths[c]));
        Line(text, c => Columns[c].Right ? new string('-', widths[c] - 1) + ":" : new string('-', widths[c]));
        foreach (string[] row in rows)
            Line(text, c => Columns[c].Right ? row[c].PadLeft(widths[c]) : row[c].PadRight(widths[c]));
        return text.ToString();
    }

    private static void Line(StringBuilder text, Func<int, string> cell) =>
        text.Append('|').AppendJoin('|', Enumerable.Range(0, Columns.Length).Select(cell)).Append("|\n");

    private static string Centred(string head, int width) => head.PadLeft(head.Length + ((width - head.Length) / 2)).PadRight(width);

    private static string Number(double value) => double.IsNaN(value) ? "N/A" : value.ToString("F4", CultureInfo.InvariantCulture);
}
