namespace LinearCald.Data.Language;

/// <summary>
/// Token ids as rows of <see cref="LanguageRowOptions.SequenceLength"/> + 1. Data whose stored sequences all have that length are taken as
/// they are. Everything else is one stream: documents in their order, the end-of-text token behind each, cut without regard to them. Rows of a
/// stream overlap by one token, so that each token but the first is a label once; what is left at the end, less than a row, is not used.
/// Nothing is copied; any thread may read.
/// </summary>
public sealed class LanguageRows
{
    private const int InspectedDocuments = 512;

    private readonly TokenSource _source;
    private readonly LanguageRowOptions _options;
    private readonly bool _packed;
    private readonly int _stride;
    private readonly int _first;

    private LanguageRows(TokenSource source, LanguageRowOptions options, bool packed, bool insert, int stride, int first, int count)
    {
        _source = source;
        _options = options;
        _packed = packed;
        InsertsEndOfText = insert;
        _stride = stride;
        _first = first;
        Count = count;
    }

    /// <summary>Rows.</summary>
    public int Count { get; }

    /// <summary>L: positions of a row, one less than its tokens.</summary>
    public int SequenceLength => _options.SequenceLength;

    /// <summary>Whether rows are stored sequences as they are.</summary>
    public bool StoredAsRows => _stride == SequenceLength + 1;

    /// <summary>Whether the end-of-text token is put behind documents.</summary>
    public bool InsertsEndOfText { get; }

    /// <summary>Whether rows come with the numbers of their documents.</summary>
    public bool HasSequences => _options.Documents == DocumentMixing.Separate;

    /// <summary>Positions of all rows: the tokens of an epoch, as budgets count them.</summary>
    public long PositionCount => (long)Count * SequenceLength;

    /// <summary>Looks at the data and decides how rows are cut.</summary>
    /// <param name="source">The data; stays the caller's.</param>
    /// <param name="options">Length and rules.</param>
    /// <exception cref="CaldException">Fewer tokens than a row, or the end-of-text token is needed and not given.</exception>
    public static LanguageRows Create(TokenSource source, LanguageRowOptions options)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        int length = options.SequenceLength;
        if (length is < 1 or > 1 << 28)
            throw new CaldException($"a sequence length of {length} is not possible; choose one from 1 to {1 << 28}");
        if (options.MaxTokens < 1)
            throw new CaldException($"a budget of {options.MaxTokens} tokens is not possible; choose at least 1, or none for all");
        bool packed = options.EndOfTextRule != EndOfTextRule.Insert && source.PackedLength is not null;
        bool insert = Inserts(source, options, packed);
        if (packed && options is { Documents: DocumentMixing.Separate, EndOfText: null })
            throw new CaldException($"{source.Name}: documents cannot be told apart: the data are stored as rows, and the end-of-text token is not known; name it, or mix documents");
        bool whole = packed && source.PackedLength == length + 1;
        int stride = whole ? length + 1 : length;
        long tokens = source.TokenCount + (insert ? source.DocumentCount : 0);
        long rows = whole ? tokens / stride : (tokens - 1) / stride;
        if (rows == 0)
            throw new CaldException($"{source.Name}: {tokens} tokens are less than one row of {length} + 1; choose a shorter sequence length, or give more text");
        if (options.MaxTokens is { } budget)
            rows = Math.Min(rows, Math.Max(1, budget / length));
        return rows <= int.MaxValue
            ? new LanguageRows(source, options, packed, insert, stride, 0, (int)rows)
            : throw new CaldException($"{source.Name}: {rows} rows are more than an epoch can have ({int.MaxValue}); set a budget of tokens, or a longer sequence length");
    }

    /// <summary>Some of the rows, for parts of one data set.</summary>
    public LanguageRows Slice(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Count - first);
        return new LanguageRows(_source, _options, _packed, InsertsEndOfText, _stride, _first + first, count);
    }

    /// <summary>Reads a row.</summary>
    /// <param name="row">0 … <see cref="Count"/> − 1.</param>
    /// <param name="tokens">Gets L + 1 ids.</param>
    /// <exception cref="CaldException">An id that the data or the vocabulary do not allow.</exception>
    public void Read(int row, Span<int> tokens)
    {
        long position = PositionOf(row);
        ArgumentOutOfRangeException.ThrowIfNotEqual(tokens.Length, SequenceLength + 1, nameof(tokens));
        if (!InsertsEndOfText)
        {
            _source.Read(position, tokens);
            return;
        }

        for (long document = DocumentAt(position); !tokens.IsEmpty; document++)
        {
            long stored = position - document; // documents before this one have one token more here than in the data
            int count = (int)Math.Min(tokens.Length, _source.DocumentStart(document + 1) - stored);
            _source.Read(stored, tokens[..count]);
            if (count < tokens.Length)
                tokens[count++] = _options.EndOfText!.Value;
            position += count;
            tokens = tokens[count..];
        }
    }

    /// <summary>Numbers the documents of a row.</summary>
    /// <param name="row">0 … <see cref="Count"/> − 1.</param>
    /// <param name="tokens">Its L + 1 ids.</param>
    /// <param name="numbers">Gets the document of each of them, from 0 on. The end-of-text token belongs to the document it ends.</param>
    public void Number(int row, ReadOnlySpan<int> tokens, Span<int> numbers)
    {
        long position = PositionOf(row);
        ArgumentOutOfRangeException.ThrowIfNotEqual(tokens.Length, SequenceLength + 1, nameof(tokens));
        ArgumentOutOfRangeException.ThrowIfNotEqual(numbers.Length, SequenceLength + 1, nameof(numbers));
        int number = 0;
        if (_packed)
        {
            for (int t = 0; t < tokens.Length; t++)
            {
                numbers[t] = number;
                if (tokens[t] == _options.EndOfText)
                    number++;
            }

            return;
        }

        long document = DocumentAt(position);
        for (int t = 0; t < tokens.Length; number++)
        {
            // The last document goes on to the end of the stream; empty ones have no positions.
            do
                document++;
            while (document < _source.DocumentCount && StartOf(document) <= position + t);
            int end = (int)Math.Min(tokens.Length, (document < _source.DocumentCount ? StartOf(document) : long.MaxValue) - position);
            numbers[t..end].Fill(number);
            t = end;
        }
    }

    /// <summary>Puts rows into a batch.</summary>
    /// <exception cref="CaldException">An id that the data or the vocabulary do not allow.</exception>
    public LanguageBatch Collate(ReadOnlySpan<int> rows)
    {
        ArgumentOutOfRangeException.ThrowIfZero(rows.Length, nameof(rows));
        int length = SequenceLength;
        int[] ids = new int[checked(rows.Length * length)], labels = new int[ids.Length];
        int[]? sequences = HasSequences ? new int[ids.Length] : null;
        int[] tokens = new int[length + 1], numbers = new int[length + 1];
        for (int b = 0; b < rows.Length; b++)
        {
            Read(rows[b], tokens);
            Span<int> rowLabels = labels.AsSpan(b * length, length);
            tokens.AsSpan(0, length).CopyTo(ids.AsSpan(b * length));
            tokens.AsSpan(1).CopyTo(rowLabels);
            if (sequences is null)
                continue;
            Number(rows[b], tokens, numbers);
            numbers.AsSpan(0, length).CopyTo(sequences.AsSpan(b * length));
            for (int t = 0; t < length && _options.IgnoreAcrossDocuments; t++)
            {
                if (numbers[t] != numbers[t + 1])
                    rowLabels[t] = LanguageBatch.IgnoredLabel;
            }
        }

        return new LanguageBatch(ids, labels, sequences, rows.Length, length);
    }

    private static bool Inserts(TokenSource source, LanguageRowOptions options, bool packed)
    {
        if (options.EndOfTextRule == EndOfTextRule.AsStored || packed)
            return false;
        if (options.EndOfText is not { } endOfText)
        {
            return options.EndOfTextRule == EndOfTextRule.Auto && source.DocumentCount == 1
                ? false
                : throw new CaldException($"{source.Name}: documents are to be joined with the end-of-text token, which is not known; name its id, or take the tokens as they are stored");
        }

        return options.EndOfTextRule == EndOfTextRule.Insert || !AlreadyEnded(source, endOfText);
    }

    /// <summary>Whether documents, as far as some hundred of them tell, end with the token already.</summary>
    private static bool AlreadyEnded(TokenSource source, int endOfText)
    {
        int count = (int)Math.Min(InspectedDocuments, source.DocumentCount);
        Span<int> last = stackalloc int[1];
        for (int i = 0; i < count; i++)
        {
            long document = (long)((Int128)source.DocumentCount * i / count), end = source.DocumentStart(document + 1);
            if (end == source.DocumentStart(document))
                continue;
            source.Read(end - 1, last);
            if (last[0] != endOfText)
                return false;
        }

        return true;
    }

    private long PositionOf(int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Count);
        return (long)(_first + row) * _stride;
    }

    /// <summary>Where a document begins in the stream.</summary>
    private long StartOf(long document) => _source.DocumentStart(document) + (InsertsEndOfText ? document : 0);

    private long DocumentAt(long position) => _source.LastDocument(document => StartOf(document) <= position);
}
