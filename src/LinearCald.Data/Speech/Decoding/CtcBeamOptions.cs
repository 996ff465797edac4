namespace LinearCald.Data.Speech.Decoding;

/// <summary>How <see cref="CtcBeamDecoder"/> searches.</summary>
public sealed record CtcBeamOptions
{
    /// <summary>Texts that are kept from frame to frame.</summary>
    public int Width { get; init; } = 64;

    /// <summary>Classes of a frame whose log-probability is below this are not tried, except the blank and the last token of a text; −∞ tries all.</summary>
    public double LeastLogProbability { get; init; } = -12;

    /// <summary>Scores words at their ends; null for none. Needs <see cref="Vocabulary"/>.</summary>
    public ArpaLanguageModel? LanguageModel { get; init; }

    /// <summary>Factor of the language model's natural log-probabilities.</summary>
    public double LanguageWeight { get; init; } = 0.5;

    /// <summary>Added for every word, against the language model's liking for few.</summary>
    public double WordBonus { get; init; }

    /// <summary>What the classes spell: needed to see words, for the language model and the bonus.</summary>
    public CharacterVocabulary? Vocabulary { get; init; }

    /// <summary>Whether words make a difference.</summary>
    internal bool ScoresWords => LanguageModel is not null || WordBonus != 0;

    /// <exception cref="CaldException">A setting has no meaning.</exception>
    internal void Check()
    {
        if (Width < 1)
        {
            throw new CaldException($"CTC beam search: a width of {Width}; it must be 1 or more");
        }

        if (!double.IsFinite(LanguageWeight) || !double.IsFinite(WordBonus) || double.IsNaN(LeastLogProbability) || LeastLogProbability > 0)
        {
            throw new CaldException(
                $"CTC beam search: language weight {LanguageWeight} and word bonus {WordBonus} must be numbers, and the least log-probability {LeastLogProbability} one that is not above 0");
        }

        if (Vocabulary is null && ScoresWords)
        {
            throw new CaldException("CTC beam search: a language model and a word bonus need to know words; give the vocabulary");
        }
    }
}
