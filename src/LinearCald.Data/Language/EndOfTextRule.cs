namespace LinearCald.Data.Language;

/// <summary>Whether the end-of-text token is put behind each document when rows are cut.</summary>
public enum EndOfTextRule
{
    /// <summary>Yes, unless the data have it there already, or were cut to rows before they were stored (<see cref="TokenSource.PackedLength"/>).</summary>
    Auto,

    /// <summary>Yes, behind every document.</summary>
    Insert,

    /// <summary>No: the tokens as they are stored.</summary>
    AsStored,
}
