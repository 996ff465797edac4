namespace LinearCald.Data.Language;

/// <summary>Token ids of many documents, end to end; any thread may read. Documents are numbered from 0 in the order of their tokens.</summary>
public abstract class TokenSource : IDisposable
{
    /// <summary>Where it comes from, for messages.</summary>
    public abstract string Name { get; }

    /// <summary>Ids of all documents together; at least one.</summary>
    public abstract long TokenCount { get; }

    /// <summary>Documents; empty ones count.</summary>
    public abstract long DocumentCount { get; }

    /// <summary>
    /// The length that all stored sequences share, where there are two at least; null otherwise. Data that was cut to rows before it was
    /// stored looks like that: what it stores are rows, not documents.
    /// </summary>
    public abstract int? PackedLength { get; }

    /// <summary>Position of a document's first token; <see cref="TokenCount"/> for the number <see cref="DocumentCount"/>. Never falls.</summary>
    public abstract long DocumentStart(long document);

    /// <summary>Reads the ids at <paramref name="position"/> and after.</summary>
    /// <param name="position">From 0; the whole span must lie within <see cref="TokenCount"/>.</param>
    /// <param name="ids">Gets the ids.</param>
    /// <exception cref="CaldException">An id that is negative, no integer, or beyond the vocabulary.</exception>
    public abstract void Read(long position, Span<int> ids);

    /// <summary>Gives files and memory back.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>The document that the token at <paramref name="position"/> belongs to.</summary>
    public long DocumentAt(long position)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(position, TokenCount);
        return LastDocument(document => DocumentStart(document) <= position);
    }

    /// <summary>The last document with a property that documents have up to some number and no further; document 0 has it.</summary>
    internal long LastDocument(Func<long, bool> has)
    {
        long low = 0, high = DocumentCount; // has(low), and not has(high)
        while (high - low > 1)
        {
            long middle = low + (high - low) / 2;
            if (has(middle))
                low = middle;
            else
                high = middle;
        }

        return low;
    }

    /// <summary>Gives files and memory back.</summary>
    protected abstract void Dispose(bool disposing);

    /// <summary>Checks a span that is to be read.</summary>
    protected void CheckSpan(long position, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(position, TokenCount - count);
    }
}
