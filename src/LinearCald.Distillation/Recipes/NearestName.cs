namespace LinearCald.Distillation.Recipes;

/// <summary>Finds the name somebody most likely meant: optimal string alignment distance, case ignored.</summary>
public static class NearestName
{
    /// <summary>
    /// The closest candidate, or null when none is close: at most two edits, or a third of the longer name's length.
    /// Of equally close ones the first.
    /// </summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        string? best = null;
        int bestDistance = int.MaxValue;
        foreach (string candidate in candidates)
        {
            int distance = Distance(name, candidate);
            int limit = Math.Min(Math.Max(2, Math.Max(name.Length, candidate.Length) / 3), Math.Max(name.Length, candidate.Length) - 1);
            if (distance <= limit && distance < bestDistance)
                (best, bestDistance) = (candidate, distance);
        }

        return best;
    }

    /// <summary>"; did you mean 'x'?" when a candidate is close, else the empty string.</summary>
    public static string Hint(string name, IEnumerable<string> candidates) =>
        Find(name, candidates) is { } near ? $"; did you mean '{near}'?" : "";

    /// <summary>Insertions, deletions, substitutions and swaps of neighbours that turn one name into the other.</summary>
    public static int Distance(string a, string b)
    {
        // d[i, j] = distance of the first i characters of a and the first j of b.
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
            d[i, 0] = i;
        for (int j = 0; j <= b.Length; j++)
            d[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int replace = Same(a[i - 1], b[j - 1]) ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + replace);
                if (i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1]))
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }

        return d[a.Length, b.Length];
    }

    private static bool Same(char x, char y) => char.ToLowerInvariant(x) == char.ToLowerInvariant(y);
}
