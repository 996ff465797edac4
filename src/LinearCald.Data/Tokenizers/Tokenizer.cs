using System.Runtime.InteropServices;
using LinearCald.Data.Tokenizers.Files;
using LinearCald.Data.Tokenizers.Models;
using LinearCald.Data.Tokenizers.PreTokenizers;
using LinearCald.Data.Tokenizers.Unicode;

namespace LinearCald.Data.Tokenizers;

/// <summary>
/// A tokenizer as HuggingFace's files describe it: added tokens are found first, then text is normalised, cut into words, the words
/// into tokens of the vocabulary, and special tokens are put around. Immutable but for a bounded cache of words; safe to share among threads.
/// </summary>
public sealed class Tokenizer
{
    [ThreadStatic]
    private static List<Piece>? t_words;

    private readonly TokenizerDefinition _definition;
    private readonly AddedTokenFinder? _rawFinder;
    private readonly AddedTokenFinder? _normalizedFinder;
    private readonly AddedTokenFinder? _plainRawFinder; // these two know no special tokens
    private readonly AddedTokenFinder? _plainNormalizedFinder;
    private readonly Dictionary<int, AddedToken> _addedById = [];
    private readonly Dictionary<string, int> _addedIds = new(StringComparer.Ordinal);
    private readonly (ushort Before, ushort After)[] _blanks;
    private string? _fingerprint;

    internal Tokenizer(TokenizerDefinition definition)
    {
        _definition = definition;
        foreach (AddedToken token in definition.AddedTokens)
        {
            _addedById[token.Id] = token;
            _addedIds[token.Content] = token.Id;
        }

        (_rawFinder, _normalizedFinder) = MakeFinders(definition.AddedTokens);
        (_plainRawFinder, _plainNormalizedFinder) = MakeFinders([.. definition.AddedTokens.Where(token => !token.Special)]);
        VocabularySize = Math.Max(definition.Model.Vocabulary.Size, _addedById.Count == 0 ? 0 : _addedById.Keys.Max() + 1);
        _blanks = new (ushort, ushort)[VocabularySize];
        for (int id = 0; id < _blanks.Length; id++)
        {
            (int before, int after) = CountBlanks(TokenOf(id) ?? "");
            _blanks[id] = ((ushort)Math.Min(before, ushort.MaxValue), (ushort)Math.Min(after, ushort.MaxValue));
        }

        foreach (int id in definition.PostProcessor.Single.Concat(definition.PostProcessor.Pair).SelectMany(piece => piece.SpecialIds))
        {
            if (TokenOf(id) is null)
            {
                throw new CaldException($"{definition.Where}: the post-processor adds a token of id {id}, which the vocabulary does not have");
            }
        }
    }

    /// <summary>The highest id plus one, added tokens included: how many rows an embedding needs at least.</summary>
    public int VocabularySize { get; }

    /// <summary>SHA-256 of the names and contents of the files it was read from, hexadecimal: the same for two tokenizers that give the same ids.</summary>
    public string Fingerprint => _fingerprint ??= TokenizerFolder.Hash(_definition.Files);

    /// <summary>Ids with a special rôle.</summary>
    public SpecialTokens Special => _definition.Special;

    /// <summary>The padding id, null if there is none.</summary>
    public int? PadId => Special.Pad;

    /// <summary>The id that begins a text, null if there is none.</summary>
    public int? BosId => Special.Bos;

    /// <summary>Another name of <see cref="BosId"/>.</summary>
    public int? ClsId => Special.Bos;

    /// <summary>The id that ends a text, null if there is none.</summary>
    public int? EosId => Special.Eos;

    /// <summary>Another name of <see cref="EosId"/>.</summary>
    public int? SepId => Special.Eos;

    /// <summary>The unknown id, null if there is none.</summary>
    public int? UnkId => Special.Unknown;

    /// <summary>The mask id, null if there is none.</summary>
    public int? MaskId => Special.Mask;

    /// <summary>
    /// Reads a tokenizer: a folder with <c>tokenizer.json</c>, or with <c>vocab.json</c> and <c>merges.txt</c> (byte-level BPE by RoBERTa's
    /// or GPT-2's rules), or with <c>vocab.txt</c> (BERT); or one of these files itself. Padding and truncation settings in the file are not used.
    /// </summary>
    /// <exception cref="CaldException">Nothing there, malformed, or of a kind that is not supported; the message names the file and the place.</exception>
    public static Tokenizer Load(string folderOrFile) => new(TokenizerFolder.Read(folderOrFile));

    /// <summary>Encodes a text or a pair of texts.</summary>
    /// <param name="text">Any text; the empty one gives the special tokens alone.</param>
    /// <param name="pair">The second text, or null.</param>
    /// <param name="addSpecialTokens">Put the model's special tokens around.</param>
    /// <param name="maxLength">The most tokens, special ones included; longer texts lose their ends, of a pair the longer one first. Null: no limit.</param>
    /// <exception cref="CaldException"><paramref name="maxLength"/> has no room for the special tokens.</exception>
    public TokenEncoding Encode(string text, string? pair = null, bool addSpecialTokens = true, int? maxLength = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        TokenBuffer first = EncodeOne(text);
        TokenBuffer? second = pair is null ? null : EncodeOne(pair);
        int removed = maxLength is { } limit ? PostProcessor.Truncate(first, second, RoomWithin(limit, second is not null, addSpecialTokens)) : 0;
        Finish(first, text);
        if (second is not null)
        {
            Finish(second, pair!);
        }

        return Lay(first, second, addSpecialTokens, removed);
    }

    /// <summary>The ids alone, special tokens included: what a data set needs. Fits the delegate <see cref="Batching.EncodeText"/>.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="pair">The second text, or null.</param>
    /// <param name="maxLength">The most tokens, special ones included.</param>
    /// <param name="truncated">Whether tokens were taken away.</param>
    /// <exception cref="CaldException"><paramref name="maxLength"/> has no room for the special tokens.</exception>
    public int[] EncodeIds(string text, string? pair, int maxLength, out bool truncated)
    {
        ArgumentNullException.ThrowIfNull(text);
        TokenBuffer first = EncodeOne(text);
        TokenBuffer? second = pair is null ? null : EncodeOne(pair);
        int removed = PostProcessor.Truncate(first, second, RoomWithin(maxLength, second is not null, addSpecialTokens: true));
        truncated = removed > 0;
        int[] ids = new int[first.Count + (second?.Count ?? 0) + SpecialTokenCount(second is not null)];
        int at = 0;
        foreach (TemplatePiece piece in _definition.PostProcessor.Layout(second is not null))
        {
            ReadOnlySpan<int> part = piece.Text < 0 ? piece.SpecialIds : piece.Text == 0 ? first.Ids : second!.Ids;
            part.CopyTo(ids.AsSpan(at));
            at += part.Length;
        }

        return ids;
    }

    /// <summary>The ids of a text as a corpus has it: no special token is put around, and what looks like one in the text is plain text.</summary>
    public int[] EncodePlain(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return EncodeOne(text, plain: true).Ids.ToArray();
    }

    /// <summary>The text of tokens. Ids outside the vocabulary stand for nothing.</summary>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return _definition.Decoder.Decode(ids
            .Where(id => !skipSpecialTokens || !_addedById.TryGetValue(id, out AddedToken? added) || !added.Special)
            .Select(TokenOf)
            .OfType<string>());
    }

    /// <summary>The token of an id, null where the vocabulary has none.</summary>
    public string? TokenOf(int id) =>
        _addedById.TryGetValue(id, out AddedToken? added) ? added.Content : _definition.Model.Vocabulary.TryGetToken(id, out string? token) ? token : null;

    /// <summary>The id of a token, null if it is not in the vocabulary.</summary>
    public int? IdOf(string token) =>
        _addedIds.TryGetValue(token, out int added) ? added : _definition.Model.Vocabulary.TryGetId(token, out int id) ? id : null;

    /// <summary>How many special tokens <see cref="Encode"/> puts around a text or a pair.</summary>
    public int SpecialTokenCount(bool pair) => _definition.PostProcessor.SpecialCount(pair);

    /// <summary>Writes the files that the tokenizer was read from, byte for byte, into a folder (made if need be).</summary>
    /// <exception cref="CaldException">A file could not be written.</exception>
    public void Save(string folder) => TokenizerFolder.Write(folder, _definition.Files);

    private int RoomWithin(int limit, bool pair, bool addSpecialTokens)
    {
        int special = addSpecialTokens ? SpecialTokenCount(pair) : 0;
        return limit >= special
            ? limit - special
            : throw new CaldException($"tokenizer: a length of {limit} has no room for the {special} special tokens of a {(pair ? "pair" : "text")}; raise the length");
    }

    private TokenBuffer EncodeOne(string text, bool plain = false)
    {
        TokenBuffer tokens = new(text.Length / 4 + 4);
        NormalizedText whole = new(text);
        (AddedTokenFinder? rawFinder, AddedTokenFinder? normalizedFinder) =
            plain ? (_plainRawFinder, _plainNormalizedFinder) : (_rawFinder, _normalizedFinder);
        if (rawFinder is null)
        {
            EncodeUntouched(whole, 0, text.Length, normalizedFinder, tokens);
            return tokens;
        }

        List<AddedTokenFinder.Stretch> stretches = [];
        rawFinder.Split(text, stretches);
        foreach (AddedTokenFinder.Stretch stretch in stretches)
        {
            if (stretch.Token is { } added)
            {
                AddAdded(added, whole, stretch, tokens);
            }
            else
            {
                EncodeUntouched(whole, stretch.Start, stretch.Length, normalizedFinder, tokens);
            }
        }

        return tokens;
    }

    private void EncodeUntouched(NormalizedText source, int start, int length, AddedTokenFinder? finder, TokenBuffer tokens)
    {
        if (_definition.Normalizer is { } normalizer)
        {
            source = normalizer.Normalize(source.Slice(start, length));
            (start, length) = (0, source.Text.Length);
        }

        if (finder is null)
        {
            EncodeWords(new Piece(source, start, length), tokens);
            return;
        }

        NormalizedText part = source.Slice(start, length);
        List<AddedTokenFinder.Stretch> stretches = [];
        finder.Split(part.Text, stretches);
        foreach (AddedTokenFinder.Stretch stretch in stretches)
        {
            if (stretch.Token is { } added)
            {
                AddAdded(added, part, stretch, tokens);
            }
            else
            {
                EncodeWords(new Piece(part, stretch.Start, stretch.Length), tokens);
            }
        }
    }

    private static void AddAdded(AddedToken token, NormalizedText source, AddedTokenFinder.Stretch stretch, TokenBuffer tokens)
    {
        int start = source.OriginalStart(stretch.Start), end = source.OriginalEnd(stretch.Start + stretch.Length - 1);
        string surface = source.Text.Substring(stretch.Start, stretch.Length);
        if (surface == token.Content)
        {
            tokens.Add(token.Id, start, end);
        }
        else
        {
            tokens.Add(token.Id, start, end, surface);
        }
    }

    private void EncodeWords(Piece piece, TokenBuffer tokens)
    {
        if (piece.Length == 0)
        {
            return;
        }

        if (_definition.PreTokenizer is null)
        {
            _definition.Model.Tokenize(piece, tokens);
            return;
        }

        List<Piece> words = t_words ??= [];
        words.Clear(); // an exception may have left some
        _definition.PreTokenizer.Split(piece, words);
        foreach (ref readonly Piece word in CollectionsMarshal.AsSpan(words))
        {
            _definition.Model.Tokenize(word, tokens);
        }

        words.Clear();
    }

    private void Finish(TokenBuffer tokens, string original)
    {
        tokens.ToCodePoints(original);
        if (_definition.PostProcessor.TrimWithPrefixSpace.Count > 0)
        {
            _definition.PostProcessor.TrimOffsets(tokens, i => BlanksAt(tokens, i));
        }
    }

    private (int Before, int After) BlanksAt(TokenBuffer tokens, int index) =>
        tokens.Surfaces is { } surfaces && surfaces.TryGetValue(index, out string? surface) ? CountBlanks(surface) : _blanks[tokens.Ids[index]];

    private TokenEncoding Lay(TokenBuffer first, TokenBuffer? second, bool addSpecialTokens, int removed)
    {
        int count = first.Count + (second?.Count ?? 0) + (addSpecialTokens ? SpecialTokenCount(second is not null) : 0);
        int[] ids = new int[count], types = new int[count];
        TokenOffset[] offsets = new TokenOffset[count];
        Dictionary<int, string>? surfaces = null;
        int at = 0;
        foreach (TemplatePiece piece in _definition.PostProcessor.Layout(second is not null))
        {
            TokenBuffer? tokens = piece.Text < 0 ? null : piece.Text == 0 ? first : second;
            ReadOnlySpan<int> partIds = tokens is not null ? tokens.Ids : addSpecialTokens ? piece.SpecialIds : [];
            partIds.CopyTo(ids.AsSpan(at));
            types.AsSpan(at, partIds.Length).Fill(piece.TypeId);
            if (tokens is not null)
            {
                tokens.Offsets.CopyTo(offsets.AsSpan(at));
                foreach ((int index, string surface) in tokens.Surfaces ?? [])
                {
                    (surfaces ??= [])[at + index] = surface;
                }
            }

            at += partIds.Length;
        }

        return new TokenEncoding(this, ids, types, offsets, surfaces, removed);
    }

    private string Normalize(string text) => _definition.Normalizer?.Normalize(new NormalizedText(text)).Text ?? text;

    private (AddedTokenFinder? Raw, AddedTokenFinder? Normalized) MakeFinders(IReadOnlyList<AddedToken> tokens) => (
        MakeFinder(tokens.Where(token => !token.Normalized).Select(token => (token, token.Content))),
        MakeFinder(tokens.Where(token => token.Normalized).Select(token => (token, Normalize(token.Content)))));

    private static AddedTokenFinder? MakeFinder(IEnumerable<(AddedToken Token, string Text)> tokens)
    {
        (AddedToken, string)[] all = [.. tokens];
        return all.Length == 0 ? null : new AddedTokenFinder(all);
    }

    private static (int Before, int After) CountBlanks(string token)
    {
        int before = 0, after = 0;
        while (before < token.Length && IsBlank(token[before]))
        {
            before++;
        }

        while (after < token.Length && IsBlank(token[^(after + 1)]))
        {
            after++;
        }

        return (before, after);

        static bool IsBlank(char c) => c == ByteAlphabet.Blank || (CharClasses.Of(c) & CharClass.WhiteSpace) != 0;
    }
}
