namespace LinearCald.Data.Language;

/// <summary>A text file that went into a tokenised corpus.</summary>
/// <param name="Path">Full path.</param>
/// <param name="Bytes">Size of the file, as packed.</param>
/// <param name="Modified">Time of its last change, UTC.</param>
/// <param name="Sha256">Hash of the file, hexadecimal.</param>
public sealed record CorpusSource(string Path, long Bytes, DateTime Modified, string Sha256);

/// <summary>How much there is in a tokenised corpus.</summary>
/// <param name="Documents">Documents that were kept.</param>
/// <param name="EmptyDocuments">Blank documents, which were left out.</param>
/// <param name="Tokens">Tokens of the texts; the end-of-text tokens, one a document, come on top.</param>
/// <param name="Characters">Code points of the texts.</param>
/// <param name="Utf8Bytes">UTF-8 bytes of the texts, for bits per byte.</param>
public sealed record CorpusCounts(long Documents, long EmptyDocuments, long Tokens, long Characters, long Utf8Bytes)
{
    /// <summary>Tokens as stored, end-of-text tokens included.</summary>
    public long StoredTokens => Tokens + Documents;

    internal static CorpusCounts Zero { get; } = new(0, 0, 0, 0, 0);

    internal CorpusCounts Plus(CorpusCounts other) => new(
        Documents + other.Documents, EmptyDocuments + other.EmptyDocuments, Tokens + other.Tokens, Characters + other.Characters, Utf8Bytes + other.Utf8Bytes);
}

/// <summary>What a tokenised corpus was made of; <c>manifest.json</c> in its folder. Its presence says that the corpus is complete.</summary>
/// <param name="Format">Version of the cache.</param>
/// <param name="Tokenizer">Fingerprint of the tokenizer.</param>
/// <param name="Vocabulary">Size of its vocabulary.</param>
/// <param name="EndOfText">Id behind each document.</param>
/// <param name="Split">Where plain text was cut.</param>
/// <param name="TextField">The field of JSON lines.</param>
/// <param name="ReplacedInvalidUtf8">Whether bytes that are not UTF-8 were replaced.</param>
/// <param name="Sources">The text files, in order.</param>
/// <param name="Counts">How much there is.</param>
public sealed record CorpusManifest(
    int Format,
    string Tokenizer,
    int Vocabulary,
    int EndOfText,
    DocumentSplit Split,
    string TextField,
    bool ReplacedInvalidUtf8,
    IReadOnlyList<CorpusSource> Sources,
    CorpusCounts Counts);
