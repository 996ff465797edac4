using LinearCald.Data.Tokenizers;

namespace LinearCald.Distillation.Scoring;

/// <summary>Tokens whose last part is scored: log p(last <paramref name="Scored"/> tokens | those before).</summary>
/// <param name="Tokens">Context and continuation; at least one token before the scored ones.</param>
/// <param name="Scored">How many of the last tokens count; 0 where joint encoding left nothing to the continuation, which then scores 0.</param>
public sealed record ScoringRequest(int[] Tokens, int Scored);

/// <summary>
/// Texts to requests by the rule of lm-evaluation-harness 0.4: white space at the end of the context goes to the continuation, both are encoded together without special
/// tokens, and the continuation's tokens are those beyond as many as the context alone has. An empty context becomes the token that begins a text.
/// </summary>
public sealed class RequestEncoder
{
    private readonly Tokenizer tokenizer;

    /// <exception cref="CaldException">The tokenizer has no token that begins or ends a text.</exception>
    public RequestEncoder(Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        this.tokenizer = tokenizer;
        Prefix = tokenizer.BosId ?? tokenizer.EosId
            ?? throw new CaldException("the tokenizer has no token that begins or ends a text; evaluation needs one before a text without context (bos_token or eos_token in tokenizer_config.json)");
    }

    /// <summary>Stands before texts that have no context: the token that begins a text, or else the one that ends it.</summary>
    public int Prefix { get; }

    /// <summary>Encodes a pair.</summary>
    /// <param name="context">What the model reads.</param>
    /// <param name="continuation">What is scored.</param>
    public ScoringRequest Encode(string context, string continuation)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(continuation);
        int end = context.Length;
        while (end > 0 && IsWhiteSpace(context[end - 1]))
            end--;
        int[] whole = Ids(context + continuation);
        int[] head = end == 0 ? [] : Ids(context[..end]);
        if (head.Length == 0)
            return new ScoringRequest([Prefix, .. whole], whole.Length);

        // The model reads the context as it is alone, even where joint encoding would have cut its end differently.
        ReadOnlySpan<int> rest = whole.AsSpan(Math.Min(head.Length, whole.Length));
        return new ScoringRequest([.. head, .. rest], rest.Length);
    }

    /// <summary>A document as a model reads it, see <see cref="TokenizedDocument"/>; what looks like a special token in it is plain text.</summary>
    public TokenizedDocument EncodeDocument(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new TokenizedDocument([Prefix, .. tokenizer.EncodePlain(text)], System.Text.Encoding.UTF8.GetByteCount(text), text.EnumerateRunes().Count());
    }

    private int[] Ids(string text) => tokenizer.Encode(text, addSpecialTokens: false).Ids;

    // Python's str.rstrip also takes the four separators of ASCII.
    private static bool IsWhiteSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F';
}
