namespace LinearCald.Distillation.Scoring;

/// <summary>How well a model predicts a text. Sums over texts are sums of scores, so that every token counts alike.</summary>
/// <param name="NegativeLogLikelihood">−Σ ln p over the tokens scored.</param>
/// <param name="Tokens">How many.</param>
/// <param name="Bytes">Bytes of UTF-8 that they stand for; 0 where that is not known.</param>
/// <param name="Characters">Code points that they stand for; 0 where that is not known.</param>
public readonly record struct LanguageScore(double NegativeLogLikelihood, long Tokens, long Bytes = 0, long Characters = 0)
{
    /// <summary>Mean of −ln p; NaN without tokens.</summary>
    public double Loss => NegativeLogLikelihood / Tokens;

    /// <summary>e to the loss.</summary>
    public double Perplexity => Math.Exp(Loss);

    /// <summary>−Σ log₂ p over bytes: comparable between models of different vocabularies.</summary>
    public double BitsPerByte => NegativeLogLikelihood / Math.Log(2) / Bytes;

    /// <summary>−Σ log₂ p over code points.</summary>
    public double BitsPerCharacter => NegativeLogLikelihood / Math.Log(2) / Characters;

    public static LanguageScore operator +(LanguageScore a, LanguageScore b) =>
        new(a.NegativeLogLikelihood + b.NegativeLogLikelihood, a.Tokens + b.Tokens, a.Bytes + b.Bytes, a.Characters + b.Characters);
}
