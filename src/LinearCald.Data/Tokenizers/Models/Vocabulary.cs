using System.Diagnostics.CodeAnalysis;

namespace LinearCald.Data.Tokenizers.Models;

/// <summary>Tokens and their ids, one to one; ids may have gaps.</summary>
internal sealed class Vocabulary
{
    /// <summary>Ids beyond this are taken for a damaged file.</summary>
    public const int MaximumId = 1 << 22;

    private readonly Dictionary<string, int> _ids;
    private readonly string?[] _tokens;

    /// <param name="entries">Tokens with their ids.</param>
    /// <param name="where">File (and place in it) for messages.</param>
    /// <exception cref="CaldException">No entries, an id out of range, or an id given to two tokens.</exception>
    public Vocabulary(IReadOnlyCollection<KeyValuePair<string, int>> entries, string where)
    {
        if (entries.Count == 0)
        {
            throw new CaldException($"{where}: the vocabulary is empty");
        }

        int last = 0;
        foreach ((string token, int id) in entries)
        {
            if (id is < 0 or > MaximumId)
            {
                throw new CaldException($"{where}: token '{token}' has id {id}; ids must lie between 0 and {MaximumId}");
            }

            last = Math.Max(last, id);
        }

        _ids = new Dictionary<string, int>(entries.Count, StringComparer.Ordinal);
        _tokens = new string?[last + 1];
        foreach ((string token, int id) in entries)
        {
            if (_tokens[id] is { } other && other != token)
            {
                throw new CaldException($"{where}: the tokens '{other}' and '{token}' both have id {id}");
            }

            _tokens[id] = token;
            _ids[token] = id;
        }
    }

    /// <summary>The highest id plus one.</summary>
    public int Size => _tokens.Length;

    /// <summary>All tokens with their ids, in no particular order.</summary>
    public IReadOnlyDictionary<string, int> Ids => _ids;

    public bool TryGetId(string token, out int id) => _ids.TryGetValue(token, out id);

    /// <summary>The token of an id; false for ids out of range and for gaps.</summary>
    public bool TryGetToken(int id, [NotNullWhen(true)] out string? token)
    {
        token = (uint)id < (uint)_tokens.Length ? _tokens[id] : null;
        return token is not null;
    }
}
