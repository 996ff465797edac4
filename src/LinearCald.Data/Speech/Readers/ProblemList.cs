namespace LinearCald.Data.Speech.Readers;

/// <summary>Utterances with one kind of fault: all are counted, the first are listed.</summary>
/// <param name="rule">What is to be done about them.</param>
/// <param name="singular">What one of them is.</param>
/// <param name="plural">What several are.</param>
/// <param name="remedy">What to do about an error.</param>
internal sealed class ProblemList(ProblemRule rule, string singular, string plural, string remedy)
{
    private const int ListedInErrors = 20;
    private const int ListedInNotes = 3;

    private readonly List<string> _first = [];

    /// <summary>What is to be done about them.</summary>
    public ProblemRule Rule => rule;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Counts one.</summary>
    public void Add(string description)
    {
        Count++;
        if (_first.Count < ListedInErrors)
        {
            _first.Add(description);
        }
    }

    /// <summary>Reports what was found, if anything was.</summary>
    /// <param name="corpus">Name or folder of the corpus.</param>
    /// <param name="notes">Where a count goes when the faults are allowed for.</param>
    /// <param name="kept">How many of them stay.</param>
    /// <exception cref="CaldException">Something was found and the rule is <see cref="ProblemRule.Error"/>.</exception>
    public void Settle(string corpus, List<string> notes, int kept = 0)
    {
        if (Count == 0)
        {
            return;
        }

        string what = $"{Count} {(Count == 1 ? singular : plural)}";
        if (rule == ProblemRule.Error)
        {
            throw new CaldException($"{corpus}: {what}:{Listing(ListedInErrors, "\n  ")}\n{remedy}");
        }

        string done = kept == 0 ? "left out" : kept == Count ? "kept" : $"{Count - kept} left out, {kept} kept in validation and test";
        notes.Add($"{what} ({done}):{Listing(ListedInNotes, " ")}");
    }

    private string Listing(int most, string separator)
    {
        string[] shown = [.. _first.Take(most)];
        string more = Count > shown.Length ? $"{separator}… and {Count - shown.Length} more" : "";
        return separator + string.Join(separator.Length > 1 ? separator : "; ", shown) + more;
    }
}
