using System.Text;
using LinearCald.Data.Tokenizers.Unicode;

namespace LinearCald.Data.Tokenizers.Models;

/// <summary>Byte-pair encoding, over the UTF-8 bytes of a word or over its characters.</summary>
internal sealed class BytePairModel : TokenModel
{
    private const int Missing = -1;

    private readonly MergeTable _merges;
    private readonly BytePairOptions _options;
    private readonly int _unknown;
    private readonly int[] _byteIds = new int[256];

    /// <param name="vocabulary">The tokens.</param>
    /// <param name="merges">The merges.</param>
    /// <param name="options">Variations.</param>
    /// <param name="where">File for messages.</param>
    public BytePairModel(Vocabulary vocabulary, MergeTable merges, BytePairOptions options, string where)
        : base(vocabulary)
    {
        _merges = merges;
        _options = options;
        _unknown = Missing;
        if (options.UnknownToken is { } unknown && !vocabulary.TryGetId(unknown, out _unknown))
        {
            throw new CaldException($"{where}: the unknown token '{unknown}' is not in the vocabulary");
        }

        for (int i = 0; i < 256; i++)
        {
            _byteIds[i] = vocabulary.TryGetId(ByteAlphabet.ToChar((byte)i).ToString(), out int id) ? id : Missing;
        }
    }

    protected override WordTokens Compute(ReadOnlySpan<char> word)
    {
        if (_options.IgnoreMerges && TryWhole(word, out int whole))
        {
            return new WordTokens([whole], [0], [word.Length]);
        }

        Symbols symbols = new(word.Length * 3);
        for (int i = 0, units; i < word.Length; i += units)
        {
            int code = CharClasses.CodePointAt(word, i, out units);
            if (_options.ByteLevel)
            {
                AddBytes(ref symbols, code, i, i + units);
            }
            else
            {
                AddCharacter(ref symbols, code, i, i + units);
            }
        }

        int[] firsts = new int[symbols.Count];
        int count = PairMerger.Merge(_merges, symbols.Ids.AsSpan(0, symbols.Count), firsts);
        int[] ids = symbols.Ids[..count], starts = new int[count], ends = new int[count];
        for (int i = 0; i < count; i++)
        {
            int last = i + 1 < count ? firsts[i + 1] - 1 : symbols.Count - 1;
            starts[i] = symbols.Starts[firsts[i]];
            ends[i] = symbols.Ends[last];
        }

        return new WordTokens(ids, starts, ends);
    }

    private void AddBytes(ref Symbols symbols, int code, int start, int end)
    {
        Span<byte> bytes = stackalloc byte[4];
        int count = new Rune(code).EncodeToUtf8(bytes);
        foreach (byte value in bytes[..count])
        {
            AddSymbol(ref symbols, _byteIds[value], start, end);
        }
    }

    private void AddCharacter(ref Symbols symbols, int code, int start, int end) =>
        AddSymbol(ref symbols, Vocabulary.TryGetId(new Rune(code).ToString(), out int id) ? id : Missing, start, end);

    /// <summary>What the vocabulary lacks becomes the unknown token or, where the file names none, nothing: as HuggingFace does.</summary>
    private void AddSymbol(ref Symbols symbols, int id, int start, int end)
    {
        if (id != Missing)
        {
            symbols.Add(id, start, end);
        }
        else if (_unknown != Missing)
        {
            if (_options.FuseUnknown && symbols.Count > 0 && symbols.Ids[symbols.Count - 1] == _unknown)
            {
                symbols.Ends[symbols.Count - 1] = end;
            }
            else
            {
                symbols.Add(_unknown, start, end);
            }
        }
    }

    private bool TryWhole(ReadOnlySpan<char> word, out int id)
    {
        string text = word.ToString();
        if (_options.ByteLevel)
        {
            text = string.Concat(Encoding.UTF8.GetBytes(text).Select(ByteAlphabet.ToChar));
        }

        return Vocabulary.TryGetId(text, out id);
    }

    private struct Symbols(int capacity)
    {
        public readonly int[] Ids = new int[capacity];
        public readonly int[] Starts = new int[capacity];
        public readonly int[] Ends = new int[capacity];

        public int Count { get; private set; }

        public void Add(int id, int start, int end)
        {
            Ids[Count] = id;
            Starts[Count] = start;
            Ends[Count++] = end;
        }
    }
}

/// <summary>Variations of byte-pair encoding.</summary>
internal sealed record BytePairOptions
{
    /// <summary>Symbols are UTF-8 bytes, written as <see cref="ByteAlphabet"/> has them; otherwise characters.</summary>
    public bool ByteLevel { get; init; }

    /// <summary>Stands for symbols outside the vocabulary; null: they are dropped.</summary>
    public string? UnknownToken { get; init; }

    /// <summary>Neighbouring unknown symbols become one token.</summary>
    public bool FuseUnknown { get; init; }

    /// <summary>A word that is a token is that token, whatever the merges say.</summary>
    public bool IgnoreMerges { get; init; }
}
