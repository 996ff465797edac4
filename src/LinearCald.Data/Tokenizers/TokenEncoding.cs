namespace LinearCald.Data.Tokenizers;

/// <summary>A range of a text in code points (not UTF-16 units), end exclusive.</summary>
/// <param name="Start">First code point.</param>
/// <param name="End">One past the last.</param>
public readonly record struct TokenOffset(int Start, int End);

/// <summary>A text, or a pair of texts, as tokens. Every token is to be attended to; padding is the business of batching.</summary>
public sealed class TokenEncoding
{
    private readonly Tokenizer _tokenizer;
    private readonly Dictionary<int, string>? _surfaces;
    private string[]? _tokens;

    internal TokenEncoding(Tokenizer tokenizer, int[] ids, int[] typeIds, TokenOffset[] offsets, Dictionary<int, string>? surfaces, int removed)
    {
        _tokenizer = tokenizer;
        _surfaces = surfaces;
        Ids = ids;
        TypeIds = typeIds;
        Offsets = offsets;
        RemovedTokens = removed;
    }

    /// <summary>Token ids, special tokens included if they were asked for.</summary>
    public int[] Ids { get; }

    /// <summary>For each token the segment it belongs to (0 or 1), as the model's embedding of token types wants it; all 0 for RoBERTa.</summary>
    public int[] TypeIds { get; }

    /// <summary>
    /// For each token where it stands in its text (in the pair's text for tokens of the pair), in code points; (0, 0) for special
    /// tokens that were added. Tokens that are parts of one character all have that character's range.
    /// </summary>
    public TokenOffset[] Offsets { get; }

    /// <summary>How many tokens truncation took away, of both texts together; 0 when everything fitted.</summary>
    public int RemovedTokens { get; }

    /// <summary>The tokens as the vocabulary writes them (a byte-level blank as Ġ); an added token as it was found in the text. Made on first use.</summary>
    public IReadOnlyList<string> Tokens => _tokens ??= MakeTokens();

    private string[] MakeTokens()
    {
        string[] tokens = new string[Ids.Length];
        for (int i = 0; i < tokens.Length; i++)
        {
            tokens[i] = _surfaces is not null && _surfaces.TryGetValue(i, out string? surface) ? surface : _tokenizer.TokenOf(Ids[i]) ?? "";
        }

        return tokens;
    }
}
