using LinearCald.Data.Tokenizers.PreTokenizers;

namespace LinearCald.Data.Tokenizers.Models;

/// <summary>The third stage: words to ids. Safe to share among threads.</summary>
internal abstract class TokenModel
{
    private readonly WordCache _cache = new();

    /// <param name="vocabulary">Tokens and ids of the model, without added tokens.</param>
    protected TokenModel(Vocabulary vocabulary) => Vocabulary = vocabulary;

    public Vocabulary Vocabulary { get; }

    /// <summary>Appends the tokens of one word.</summary>
    public void Tokenize(in Piece word, TokenBuffer output)
    {
        ReadOnlySpan<char> text = word.Span;
        if (!_cache.TryGet(text, out WordTokens? tokens))
        {
            tokens = Compute(text);
            _cache.Add(text, tokens);
        }

        for (int i = 0; i < tokens.Ids.Length; i++)
        {
            output.Add(tokens.Ids[i], word.Source.OriginalStart(word.Start + tokens.Starts[i]), word.Source.OriginalEnd(word.Start + tokens.Ends[i] - 1));
        }
    }

    /// <summary>The tokens of one word, from nothing but the word.</summary>
    protected abstract WordTokens Compute(ReadOnlySpan<char> word);
}

/// <summary>Tokens of a word.</summary>
/// <param name="Ids">Token ids.</param>
/// <param name="Starts">First UTF-16 unit of each within the word.</param>
/// <param name="Ends">One past the last; whole characters, so tokens that share a character overlap.</param>
internal sealed record WordTokens(int[] Ids, int[] Starts, int[] Ends);
