using LinearCald.Data.Language.Files;

namespace LinearCald.Data.Language;

/// <summary>The documents of text files as text, in one pass, without a cache: for evaluation.</summary>
public static class TextDocuments
{
    /// <summary>Every document that is not blank, in the order of the files.</summary>
    /// <param name="files">Text files, see <see cref="TextCorpusFiles"/>.</param>
    /// <param name="options">How documents are told apart.</param>
    /// <exception cref="CaldException">While it is read: a file is missing, packed in a way that is not read, not UTF-8, or malformed.</exception>
    public static IEnumerable<string> Read(IReadOnlyList<string> files, TextCorpusOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(files);
        return files.SelectMany(file => Read(file, options ?? new TextCorpusOptions()));
    }

    private static IEnumerable<string> Read(string file, TextCorpusOptions options)
    {
        using SourceStream source = SourceStream.Open(file);
        DocumentReader reader = new(source, default, options);
        while (reader.Read() is { } document)
        {
            if (!string.IsNullOrWhiteSpace(document))
                yield return document;
        }
    }
}
