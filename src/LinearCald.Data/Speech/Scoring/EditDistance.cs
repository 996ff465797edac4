namespace LinearCald.Data.Speech.Scoring;

/// <summary>What happens to a unit in an alignment.</summary>
public enum EditKind
{
    /// <summary>Both have it.</summary>
    Match,

    /// <summary>The hypothesis has another.</summary>
    Substitution,

    /// <summary>Only the hypothesis has it.</summary>
    Insertion,

    /// <summary>Only the reference has it.</summary>
    Deletion,
}

/// <summary>
/// Levenshtein's distance. Of several alignments with the fewest edits one with the most matches is taken, which makes the counts of
/// substitutions, insertions and deletions unique.
/// </summary>
internal static class EditDistance
{
    /// <summary>Cells of the table of an alignment, at most: 16,000 by 16,000 units.</summary>
    public const long MaxCells = 1L << 28;

    // A cell holds edits·2³² − matches, so that one comparison finds the fewest edits and among those the most matches.
    private const long Edit = 1L << 32;
    private const long Match = -1;

    /// <summary>The score, in memory of one row.</summary>
    public static EditScore Score(ReadOnlySpan<int> reference, ReadOnlySpan<int> hypothesis)
    {
        long[] row = new long[hypothesis.Length + 1];
        for (int j = 0; j < row.Length; j++)
        {
            row[j] = j * Edit;
        }

        for (int i = 0; i < reference.Length; i++)
        {
            long diagonal = row[0], left = diagonal + Edit;
            row[0] = left;
            int unit = reference[i];
            for (int j = 0; j < hypothesis.Length; j++)
            {
                long above = row[j + 1];
                left = Math.Min(Math.Min(above, left) + Edit, diagonal + (unit == hypothesis[j] ? Match : Edit));
                row[j + 1] = left;
                diagonal = above;
            }
        }

        return ScoreOf(row[^1], reference.Length, hypothesis.Length);
    }

    /// <summary>The edits in order.</summary>
    /// <exception cref="CaldException">The table would be larger than <see cref="MaxCells"/>.</exception>
    public static EditKind[] Align(ReadOnlySpan<int> reference, ReadOnlySpan<int> hypothesis)
    {
        int width = hypothesis.Length + 1;
        if ((reference.Length + 1L) * width > MaxCells)
        {
            throw new CaldException(
                $"aligning {reference.Length} with {hypothesis.Length} units needs more than {MaxCells >> 20} MiB; score them without an alignment, or cut them into parts");
        }

        EditKind[] last = new EditKind[(reference.Length + 1) * width]; // the last edit of each pair of beginnings
        long[] row = new long[width];
        for (int j = 1; j < width; j++)
        {
            row[j] = j * Edit;
            last[j] = EditKind.Insertion;
        }

        for (int i = 1; i <= reference.Length; i++)
        {
            long diagonal = row[0];
            row[0] = i * Edit;
            last[i * width] = EditKind.Deletion;
            for (int j = 1; j < width; j++)
            {
                bool same = reference[i - 1] == hypothesis[j - 1];
                (long best, EditKind kind) = (diagonal + (same ? Match : Edit), same ? EditKind.Match : EditKind.Substitution);
                diagonal = row[j];
                if (row[j] + Edit < best)
                {
                    (best, kind) = (row[j] + Edit, EditKind.Deletion);
                }

                if (row[j - 1] + Edit < best)
                {
                    (best, kind) = (row[j - 1] + Edit, EditKind.Insertion);
                }

                row[j] = best;
                last[(i * width) + j] = kind;
            }
        }

        List<EditKind> edits = new(Math.Max(reference.Length, hypothesis.Length));
        for (int i = reference.Length, j = hypothesis.Length; i > 0 || j > 0;)
        {
            EditKind kind = last[(i * width) + j];
            edits.Add(kind);
            i -= kind == EditKind.Insertion ? 0 : 1;
            j -= kind == EditKind.Deletion ? 0 : 1;
        }

        edits.Reverse();
        return [.. edits];
    }

    /// <summary>
    /// With n units of the reference, m of the hypothesis, c edits and h matches: s + d = n − h, s + i = m − h, s + i + d = c.
    /// </summary>
    private static EditScore ScoreOf(long cell, long n, long m)
    {
        long edits = (cell + Edit - 1) >> 32, matches = (edits * Edit) - cell;
        long deletions = edits - m + matches, insertions = edits - n + matches;
        return new EditScore(edits - deletions - insertions, insertions, deletions, n);
    }
}
