using LinearCald.Data.Language.Files;
using LinearCald.Data.Tokenizers;

namespace LinearCald.Data.Language;

/// <summary>
/// Text files as token ids, made once and kept in a folder: <c>tokens.idx</c>, <c>tokens.bin</c> and <c>manifest.json</c>. Each document is
/// one stored sequence that ends with the end-of-text token.
/// </summary>
public sealed class TokenizedCorpus : IDisposable
{
    internal TokenizedCorpus(IndexedDataset tokens, CorpusManifest manifest, bool reused)
    {
        Tokens = tokens;
        Manifest = manifest;
        Reused = reused;
    }

    /// <summary>The ids.</summary>
    public IndexedDataset Tokens { get; }

    /// <summary>What they were made of.</summary>
    public CorpusManifest Manifest { get; }

    /// <summary>Whether they were there already.</summary>
    public bool Reused { get; }

    /// <summary>
    /// Opens the corpus in <paramref name="cacheFolder"/> if it was made of these files as they are now, with this tokenizer and these
    /// options; makes it otherwise. A build that was interrupted goes on where it was. Of several processes one builds and the others wait.
    /// </summary>
    /// <param name="cacheFolder">A folder for this corpus alone; made if need be.</param>
    /// <param name="files">Text files, see <see cref="TextCorpusFiles"/>.</param>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="options">How documents are told apart.</param>
    /// <param name="progress">Called from the calling thread, some times a second.</param>
    /// <param name="cancellation">Stops the build at the next piece of text; what is done is kept.</param>
    /// <exception cref="CaldException">A file is missing, packed in a way that is not read, not UTF-8 or malformed; there is no text; the disk is full.</exception>
    public static TokenizedCorpus Open(
        string cacheFolder,
        IReadOnlyList<string> files,
        Tokenizer tokenizer,
        TextCorpusOptions? options = null,
        Action<TokenizingProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(tokenizer);
        CorpusCache cache = new(cacheFolder, CorpusPlan.Of(files, tokenizer, options ?? new TextCorpusOptions()), progress ?? (static _ => { }), cancellation);
        return cache.OpenOrBuild();
    }

    /// <summary>Rows of this corpus.</summary>
    /// <param name="sequenceLength">Positions of a row.</param>
    /// <param name="documents">What rows know of their documents.</param>
    /// <param name="maxTokens">A budget; null: all.</param>
    /// <param name="ignoreAcrossDocuments">No loss where the label is another document's first token; for <see cref="DocumentMixing.Separate"/>.</param>
    /// <exception cref="CaldException">Fewer tokens than a row.</exception>
    public LanguageRows Rows(
        int sequenceLength, DocumentMixing documents = DocumentMixing.Mixed, long? maxTokens = null, bool ignoreAcrossDocuments = false) =>
        LanguageRows.Create(Tokens, new LanguageRowOptions
        {
            SequenceLength = sequenceLength,
            Documents = documents,
            IgnoreAcrossDocuments = ignoreAcrossDocuments,
            EndOfText = Manifest.EndOfText,
            EndOfTextRule = EndOfTextRule.AsStored,
            MaxTokens = maxTokens,
        });

    /// <summary>Closes the files.</summary>
    public void Dispose() => Tokens.Dispose();
}
