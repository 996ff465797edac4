namespace LinearCald.Data.Language;

/// <summary>How far the tokenising of a corpus has come.</summary>
/// <param name="Bytes">Bytes of the text files that were read, as packed; those of an earlier, interrupted build included.</param>
/// <param name="TotalBytes">Bytes of all of them.</param>
/// <param name="Documents">Documents written.</param>
/// <param name="Tokens">Tokens written.</param>
/// <param name="Waiting">True while another process makes this very corpus and this one waits for it.</param>
public readonly record struct TokenizingProgress(long Bytes, long TotalBytes, long Documents, long Tokens, bool Waiting = false);
