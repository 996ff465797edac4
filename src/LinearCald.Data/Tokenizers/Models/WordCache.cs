using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace LinearCald.Data.Tokenizers.Models;

/// <summary>Remembers the tokens of short words; a text has few different ones. Stops learning when full, so memory is bounded (some tens of MB).</summary>
internal sealed class WordCache
{
    private const int LongestWord = 48;
    private const int Capacity = 1 << 17;

    private readonly ConcurrentDictionary<string, WordTokens> _words = new();
    private readonly ConcurrentDictionary<string, WordTokens>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private int _count;

    public WordCache() => _lookup = _words.GetAlternateLookup<ReadOnlySpan<char>>();

    public bool TryGet(ReadOnlySpan<char> word, [NotNullWhen(true)] out WordTokens? tokens)
    {
        tokens = null;
        return word.Length <= LongestWord && _lookup.TryGetValue(word, out tokens);
    }

    public void Add(ReadOnlySpan<char> word, WordTokens tokens)
    {
        if (word.Length <= LongestWord && Volatile.Read(ref _count) < Capacity && _lookup.TryAdd(word, tokens))
        {
            Interlocked.Increment(ref _count);
        }
    }
}
