namespace LinearCald.Data.Speech.Decoding;

/// <summary>The words of a text as the language model sees them: those that are complete are scored, the last one is still being spelled.</summary>
/// <param name="Score">Weighted language model and bonuses of the complete words.</param>
/// <param name="Context">Their last ones, as far back as the model looks.</param>
/// <param name="Open">The tokens of the word that is not complete.</param>
internal sealed record WordScore(double Score, int[] Context, int[] Open)
{
    /// <summary>Before any word.</summary>
    public static WordScore Begin(CtcBeamOptions options) => new(0, options.LanguageModel?.StartContext ?? [], []);

    /// <summary>With one more token.</summary>
    public WordScore With(int token, CtcBeamOptions options) => token == options.Vocabulary!.Delimiter ? Close(options) : this with { Open = [.. Open, token] };

    /// <summary>With the word that was being spelled complete, if there is any.</summary>
    public WordScore Close(CtcBeamOptions options)
    {
        string word = options.Vocabulary!.Decode(Open);
        if (word.Length == 0)
        {
            return this with { Open = [] };
        }

        double score = Score + options.WordBonus;
        int[] context = Context;
        if (options.LanguageModel is { } model)
        {
            int id = model.WordOf(word);
            score += options.LanguageWeight * model.LogProbability(context, id);
            context = model.Extend(context, id);
        }

        return new WordScore(score, context, []);
    }

    /// <summary>The score of the whole text, its end included.</summary>
    public double Final(CtcBeamOptions options)
    {
        WordScore closed = Close(options);
        return closed.Score + (options.LanguageModel is { } model ? options.LanguageWeight * model.EndLogProbability(closed.Context) : 0);
    }
}
