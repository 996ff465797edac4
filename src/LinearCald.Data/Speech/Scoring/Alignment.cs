using System.Text;

namespace LinearCald.Data.Speech.Scoring;

/// <summary>A place of an alignment.</summary>
/// <param name="Kind">What happens there.</param>
/// <param name="Reference">The reference's unit; null for an insertion.</param>
/// <param name="Hypothesis">The hypothesis's unit; null for a deletion.</param>
public readonly record struct AlignedPair(EditKind Kind, string? Reference, string? Hypothesis);

/// <summary>Reference and hypothesis side by side, with the fewest edits and among those the most matches.</summary>
public sealed class Alignment
{
    private Alignment(string[] reference, string[] hypothesis)
    {
        (int[] a, int[] b) = ErrorRates.Numbered(reference, hypothesis);
        List<AlignedPair> pairs = [];
        long substitutions = 0, insertions = 0, deletions = 0;
        int i = 0, j = 0;
        foreach (EditKind kind in EditDistance.Align(a, b))
        {
            pairs.Add(new AlignedPair(kind, kind == EditKind.Insertion ? null : reference[i++], kind == EditKind.Deletion ? null : hypothesis[j++]));
            substitutions += kind == EditKind.Substitution ? 1 : 0;
            insertions += kind == EditKind.Insertion ? 1 : 0;
            deletions += kind == EditKind.Deletion ? 1 : 0;
        }

        Pairs = pairs;
        Score = new EditScore(substitutions, insertions, deletions, reference.Length);
    }

    /// <summary>The places in order.</summary>
    public IReadOnlyList<AlignedPair> Pairs { get; }

    /// <summary>The same as <see cref="ErrorRates"/> gives.</summary>
    public EditScore Score { get; }

    /// <summary>Aligns word by word.</summary>
    /// <exception cref="CaldException">The texts are too long to be aligned, above 16,000 units each.</exception>
    public static Alignment Words(string reference, string hypothesis) => new(ErrorRates.WordsOf(reference), ErrorRates.WordsOf(hypothesis));

    /// <summary>Aligns character by character.</summary>
    /// <inheritdoc cref="Words"/>
    public static Alignment Characters(string reference, string hypothesis) => new(ErrorRates.CharactersOf(reference), ErrorRates.CharactersOf(hypothesis));

    /// <summary>
    /// Three lines, in blocks where they are longer than <paramref name="width"/>: the reference, the hypothesis, and S, I or D under each
    /// edit; stars stand for what one of them lacks.
    /// </summary>
    public string Render(int width = 120)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 20);
        const int Margin = 5;
        StringBuilder result = new();
        StringBuilder reference = new(), hypothesis = new(), marks = new();
        void Flush()
        {
            if (reference.Length > 0)
            {
                result.Append("REF: ").Append(reference.ToString().TrimEnd()).Append('\n');
                result.Append("HYP: ").Append(hypothesis.ToString().TrimEnd()).Append('\n');
                string edits = marks.ToString().TrimEnd();
                result.Append(edits.Length > 0 ? new string(' ', Margin) + edits + "\n" : "");
            }

            reference.Clear();
            hypothesis.Clear();
            marks.Clear();
        }

        int used = 0;
        foreach (AlignedPair pair in Pairs)
        {
            int cell = Math.Max(Width(pair.Reference), Width(pair.Hypothesis));
            if (used > 0 && Margin + used + cell > width)
            {
                Flush();
                used = 0;
            }

            Append(reference, pair.Reference ?? new string('*', cell), cell);
            Append(hypothesis, pair.Hypothesis ?? new string('*', cell), cell);
            Append(marks, pair.Kind switch { EditKind.Match => "", EditKind.Substitution => "S", EditKind.Insertion => "I", _ => "D" }, cell);
            used += cell + 1;
        }

        Flush();
        return result.ToString();
    }

    private static int Width(string? unit) => unit?.EnumerateRunes().Count() ?? 0;

    private static void Append(StringBuilder line, string unit, int width) => line.Append(unit).Append(' ', width - Width(unit) + 1);
}
