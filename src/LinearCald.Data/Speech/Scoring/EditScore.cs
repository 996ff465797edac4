namespace LinearCald.Data.Speech.Scoring;

/// <summary>How a hypothesis differs from its reference: the fewest edits that turn the reference into it. Scores of utterances add up to that of a corpus.</summary>
/// <param name="Substitutions">Units that are others in the hypothesis.</param>
/// <param name="Insertions">Units that only the hypothesis has.</param>
/// <param name="Deletions">Units that only the reference has.</param>
/// <param name="ReferenceLength">Units of the reference.</param>
public readonly record struct EditScore(long Substitutions, long Insertions, long Deletions, long ReferenceLength)
{
    /// <summary>All edits.</summary>
    public long Errors => Substitutions + Insertions + Deletions;

    /// <summary>Units of the reference that the hypothesis has.</summary>
    public long Hits => ReferenceLength - Substitutions - Deletions;

    /// <summary>
    /// Edits per unit of the reference: the word or character error rate; above 1 where much is inserted. Over an empty reference it is the
    /// number of insertions, as if the reference had one unit, so that silence can be scored.
    /// </summary>
    public double Rate => Errors / (double)Math.Max(1, ReferenceLength);

    /// <summary>Both together: rates of a corpus are all edits over all units, not the mean of the utterances' rates.</summary>
    public static EditScore operator +(EditScore a, EditScore b) => new(
        a.Substitutions + b.Substitutions, a.Insertions + b.Insertions, a.Deletions + b.Deletions, a.ReferenceLength + b.ReferenceLength);

    /// <inheritdoc cref="op_Addition"/>
    public static EditScore Add(EditScore left, EditScore right) => left + right;
}
