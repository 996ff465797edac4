namespace LinearCald.Data.Language;

/// <summary>How documents become rows.</summary>
public sealed record LanguageRowOptions
{
    /// <summary>Positions of a row, L; L + 1 tokens are taken, so that each position has the next token as its label.</summary>
    public required int SequenceLength { get; init; }

    /// <summary>What a row knows of its documents.</summary>
    public DocumentMixing Documents { get; init; }

    /// <summary>With <see cref="DocumentMixing.Separate"/>: no loss where the label is another document's first token.</summary>
    public bool IgnoreAcrossDocuments { get; init; }

    /// <summary>Id of the end-of-text token; null where there is none.</summary>
    public int? EndOfText { get; init; }

    /// <summary>Whether that token is put behind documents.</summary>
    public EndOfTextRule EndOfTextRule { get; init; }

    /// <summary>Use no more than the first rows with so many positions together (at least one row); null: all.</summary>
    public long? MaxTokens { get; init; }
}
