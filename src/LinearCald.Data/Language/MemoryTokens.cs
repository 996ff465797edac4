using LinearCald.Data.Language.Files;
using LinearCald.Data.Tokenizers;

namespace LinearCald.Data.Language;

/// <summary>Documents that are held in memory.</summary>
public sealed class MemoryTokens : TokenSource
{
    private readonly int[] _ids;
    private readonly int[] _starts; // documents + 1 entries

    /// <param name="documents">The ids of each document.</param>
    /// <param name="name">Where they come from, for messages.</param>
    /// <exception cref="CaldException">There are no tokens, or more than one array holds.</exception>
    public MemoryTokens(IReadOnlyList<int[]> documents, string name = "tokens in memory")
    {
        ArgumentNullException.ThrowIfNull(documents);
        long total = documents.Sum(document => (long)document.Length);
        if (total == 0)
            throw new CaldException($"{name}: no tokens; give at least one document that is not empty");
        if (total > Array.MaxLength)
            throw new CaldException($"{name}: {total} tokens are too many to hold in memory; write them with {nameof(IndexedDatasetWriter)} and read them from there");
        Name = name;
        _ids = new int[total];
        _starts = new int[documents.Count + 1];
        for (int i = 0; i < documents.Count; i++)
        {
            documents[i].CopyTo(_ids, _starts[i]);
            _starts[i + 1] = _starts[i] + documents[i].Length;
        }

        PackedLength = documents.Count > 1 && documents.All(document => document.Length == documents[0].Length) ? documents[0].Length : null;
    }

    /// <summary>Tokenises texts: each becomes a document that ends with the end-of-text token. Blank ones are left out and counted.</summary>
    /// <param name="texts">The documents.</param>
    /// <param name="tokenizer">The tokenizer. What looks like a special token in a text is plain text.</param>
    /// <param name="endOfText">Id behind each document; null: the tokenizer's end of text.</param>
    /// <param name="name">Where they come from, for messages.</param>
    /// <exception cref="CaldException">All are blank, or the tokenizer has no end-of-text token.</exception>
    public static (MemoryTokens Tokens, CorpusCounts Counts) Tokenize(
        IEnumerable<string> texts, Tokenizer tokenizer, int? endOfText = null, string name = "tokens in memory")
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentNullException.ThrowIfNull(tokenizer);
        int end = endOfText ?? tokenizer.Special.Eos ?? throw new CaldException("the tokenizer has no end-of-text token to put behind documents; name its id");
        TokenizedTexts tokenized = TokenizedTexts.Of(texts, tokenizer, end);
        return (new MemoryTokens(tokenized.Documents, name), tokenized.Counts);
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override long TokenCount => _ids.Length;

    /// <inheritdoc/>
    public override long DocumentCount => _starts.Length - 1;

    /// <inheritdoc/>
    public override int? PackedLength { get; }

    /// <inheritdoc/>
    public override long DocumentStart(long document) => _starts[document];

    /// <inheritdoc/>
    public override void Read(long position, Span<int> ids)
    {
        CheckSpan(position, ids.Length);
        _ids.AsSpan((int)position, ids.Length).CopyTo(ids);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
    }
}
