using LinearCald.Data.Tokenizers.Unicode;

namespace LinearCald.Data.Tokenizers.Models;

/// <summary>
/// BERT's WordPiece: from the left, always the longest token that fits; tokens inside a word carry a prefix. A word that cannot be
/// covered, or is too long, is the unknown token as a whole.
/// </summary>
internal sealed class WordPieceModel : TokenModel
{
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _beginnings;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _continuations;
    private readonly int _longest;
    private readonly int _unknown;
    private readonly int _maximumCharacters;

    /// <param name="vocabulary">The tokens.</param>
    /// <param name="unknownToken">Must be one of them.</param>
    /// <param name="continuingPrefix">Marks tokens that do not begin a word, such as <c>##</c>.</param>
    /// <param name="maximumCharacters">Longer words (in code points) are unknown.</param>
    /// <param name="where">File for messages.</param>
    public WordPieceModel(Vocabulary vocabulary, string unknownToken, string continuingPrefix, int maximumCharacters, string where)
        : base(vocabulary)
    {
        if (!vocabulary.TryGetId(unknownToken, out _unknown))
        {
            throw new CaldException($"{where}: the unknown token '{unknownToken}' is not in the vocabulary");
        }

        _maximumCharacters = maximumCharacters;
        Dictionary<string, int> beginnings = new(StringComparer.Ordinal), continuations = new(StringComparer.Ordinal);
        foreach ((string token, int id) in vocabulary.Ids)
        {
            beginnings[token] = id;
            if (token.StartsWith(continuingPrefix, StringComparison.Ordinal))
            {
                continuations[token[continuingPrefix.Length..]] = id;
            }

            _longest = Math.Max(_longest, token.Length);
        }

        _beginnings = beginnings.GetAlternateLookup<ReadOnlySpan<char>>();
        _continuations = continuations.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    protected override WordTokens Compute(ReadOnlySpan<char> word)
    {
        WordTokens unknown = new([_unknown], [0], [word.Length]);
        if (CountCodePoints(word) > _maximumCharacters)
        {
            return unknown;
        }

        List<int> ids = [], starts = [], ends = [];
        for (int start = 0; start < word.Length;)
        {
            int end = LongestToken(word, start, out int id);
            if (end < 0)
            {
                return unknown;
            }

            ids.Add(id);
            starts.Add(start);
            ends.Add(end);
            start = end;
        }

        return new WordTokens([.. ids], [.. starts], [.. ends]);
    }

    private int LongestToken(ReadOnlySpan<char> word, int start, out int id)
    {
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> tokens = start == 0 ? _beginnings : _continuations;
        for (int end = Math.Min(word.Length, start + _longest); end > start; end--)
        {
            if (tokens.TryGetValue(word[start..end], out id))
            {
                return end;
            }
        }

        id = _unknown;
        return -1;
    }

    private static int CountCodePoints(ReadOnlySpan<char> word)
    {
        int count = 0;
        for (int i = 0, units; i < word.Length; i += units)
        {
            CharClasses.CodePointAt(word, i, out units);
            count++;
        }

        return count;
    }
}
