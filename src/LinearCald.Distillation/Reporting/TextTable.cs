using System.Text;

namespace LinearCald.Distillation.Reporting;

/// <summary>Plain aligned text: columns two spaces apart, numbers to the right, everything else to the left, a rule under the heads.</summary>
public sealed class TextTable(params IReadOnlyList<string> heads)
{
    private readonly List<string[]> rows = [];

    /// <summary>Adds a row with a cell for each head.</summary>
    public TextTable Add(params IReadOnlyList<string> cells)
    {
        if (cells.Count != heads.Count)
            throw new ArgumentException($"{cells.Count} cells for {heads.Count} columns", nameof(cells));
        rows.Add([.. cells]);
        return this;
    }

    /// <summary>The table, each line ended by '\n' and without trailing blanks.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        int[] widths = [.. heads.Select((head, c) => rows.Select(row => row[c].Length).Append(head.Length).Max())];
        bool[] right = [.. heads.Select((_, c) => rows.Count > 0 && rows.All(row => LooksNumeric(row[c])))];
        AppendLine(text, heads, widths, right);
        AppendLine(text, [.. widths.Select(width => new string('-', width))], widths, right);
        foreach (string[] row in rows)
            AppendLine(text, row, widths, right);
        return text.ToString();
    }

    private static void AppendLine(StringBuilder text, IReadOnlyList<string> cells, int[] widths, bool[] right)
    {
        string line = string.Join("  ", cells.Select((cell, c) => right[c] ? cell.PadLeft(widths[c]) : cell.PadRight(widths[c])));
        text.Append(line.TrimEnd()).Append('\n');
    }

    private static bool LooksNumeric(string cell) => cell.Length == 0 || cell is "-" || char.IsAsciiDigit(cell[0])
        || (cell.Length > 1 && cell[0] is '-' or '+' && char.IsAsciiDigit(cell[1]));
}
