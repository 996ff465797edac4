namespace LinearCald.Models.Language.Generation;

/// <summary>How the next token is chosen, and when to stop. The rules are those of HuggingFace's <c>generate</c>, applied in the order of the members.</summary>
public sealed record GenerationOptions
{
    /// <summary>
    /// θ &gt; 0: the logit l of every token that the prompt or the text so far has becomes l / θ if positive, l · θ otherwise; 1 changes nothing, more makes repetitions
    /// less likely.
    /// </summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>New tokens before <see cref="EndOfText"/> may come.</summary>
    public int MinNewTokens { get; init; }

    /// <summary>Divides the logits; 0: always the most likely token, of equal ones the first, and the two filters below are not used.</summary>
    public double Temperature { get; init; }

    /// <summary>Only the k most likely tokens stay, and those equal to the last of them; 0 for all.</summary>
    public int TopK { get; init; }

    /// <summary>Only the most likely tokens stay whose probabilities together reach p, the last one included; 1 for all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Most new tokens.</summary>
    public int MaxNewTokens { get; init; } = 128;

    /// <summary>The token that ends a text; null where generation only stops at <see cref="MaxNewTokens"/>.</summary>
    public int? EndOfText { get; init; }

    /// <summary>Names the random numbers: the same seed, model and prompt give the same text.</summary>
    public ulong Seed { get; init; }

    /// <summary>Tokens of the prompt that go through the model at a time.</summary>
    public int PrefillChunk { get; init; } = 512;

    /// <exception cref="CaldException">A value is out of range; the message says which are allowed.</exception>
    internal void Check()
    {
        Require(RepetitionPenalty > 0 && double.IsFinite(RepetitionPenalty), $"repetition penalty {RepetitionPenalty}: give a number above 0; 1 is none");
        Require(Temperature >= 0 && double.IsFinite(Temperature), $"temperature {Temperature}: give 0 for the most likely token, or a number above 0");
        Require(TopK >= 0, $"top-k {TopK}: give 0 for all tokens, or how many to keep");
        Require(TopP is > 0 and <= 1, $"top-p {TopP}: give a probability above 0, up to 1");
        Require(MaxNewTokens >= 1, $"{MaxNewTokens} new tokens: give at least 1");
        Require(MinNewTokens >= 0 && MinNewTokens <= MaxNewTokens, $"at least {MinNewTokens} and at most {MaxNewTokens} new tokens: the first must not be negative or above the second");
        Require(PrefillChunk >= 1, $"a prefill chunk of {PrefillChunk} tokens: give at least 1");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new CaldException(message);
        }
    }
}
