using System.Runtime.InteropServices;

namespace LinearCald.Data.Tokenizers;

/// <summary>The tokens of one text while it is being encoded: ids and ranges, first in UTF-16 units of the original, at the end in code points.</summary>
/// <param name="capacity">Tokens to expect; more are possible.</param>
internal sealed class TokenBuffer(int capacity)
{
    private readonly List<int> _ids = new(capacity);
    private readonly List<TokenOffset> _offsets = new(capacity);

    public int Count => _ids.Count;

    public ReadOnlySpan<int> Ids => CollectionsMarshal.AsSpan(_ids);

    public Span<TokenOffset> Offsets => CollectionsMarshal.AsSpan(_offsets);

    /// <summary>The text of added tokens that took neighbouring blanks along, by position: it differs from the vocabulary's.</summary>
    public Dictionary<int, string>? Surfaces { get; private set; }

    public void Add(int id, int start, int end)
    {
        _ids.Add(id);
        _offsets.Add(new TokenOffset(start, end));
    }

    /// <summary>Adds a token whose text is not the vocabulary's.</summary>
    public void Add(int id, int start, int end, string surface)
    {
        (Surfaces ??= [])[Count] = surface;
        Add(id, start, end);
    }

    /// <summary>Drops all but the first <paramref name="count"/> tokens and returns how many went.</summary>
    public int Truncate(int count)
    {
        int removed = Math.Max(0, Count - count);
        if (removed > 0)
        {
            _ids.RemoveRange(count, removed);
            _offsets.RemoveRange(count, removed);
            foreach (int index in Surfaces?.Keys.Where(index => index >= count).ToArray() ?? [])
            {
                Surfaces!.Remove(index);
            }
        }

        return removed;
    }

    /// <summary>Turns ranges in UTF-16 units of <paramref name="original"/> into ranges in code points.</summary>
    public void ToCodePoints(string original)
    {
        if (!original.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return;
        }

        int[] before = new int[original.Length + 1]; // code points that begin before each unit
        for (int i = 0; i < original.Length; i++)
        {
            bool second = i > 0 && char.IsSurrogatePair(original[i - 1], original[i]);
            before[i + 1] = before[i] + (second ? 0 : 1);
        }

        foreach (ref TokenOffset offset in Offsets)
        {
            offset = new TokenOffset(before[offset.Start], before[offset.End]);
        }
    }
}
