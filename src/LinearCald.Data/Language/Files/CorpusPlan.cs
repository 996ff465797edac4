using System.Security.Cryptography;
using System.Text;
using LinearCald.Data.Tokenizers;

namespace LinearCald.Data.Language.Files;

/// <summary>What a corpus is to be made of.</summary>
/// <param name="Files">The text files as they are now; their hashes are not known yet and empty.</param>
/// <param name="Tokenizer">The tokenizer.</param>
/// <param name="EndOfText">Id behind each document.</param>
/// <param name="Vocabulary">Ids are smaller.</param>
/// <param name="Options">How documents are told apart.</param>
internal sealed record CorpusPlan(IReadOnlyList<CorpusSource> Files, Tokenizer Tokenizer, int EndOfText, int Vocabulary, TextCorpusOptions Options)
{
    /// <summary>Version of what is written; a change makes every corpus anew.</summary>
    public const int Format = 1;

    public long TotalBytes => Files.Sum(file => file.Bytes);

    /// <exception cref="CaldException">No files, one is missing, or there is no end-of-text token.</exception>
    public static CorpusPlan Of(IReadOnlyList<string> files, Tokenizer tokenizer, TextCorpusOptions options)
    {
        if (files.Count == 0)
            throw new CaldException("a corpus of no text files was asked for; give at least one");
        if (options.Threads < 1)
            throw new CaldException($"{options.Threads} threads cannot tokenise; give at least 1");
        int endOfText = options.EndOfText ?? tokenizer.Special.Eos
            ?? throw new CaldException("the tokenizer has no end-of-text token to put behind documents; name its id");
        if (endOfText < 0)
            throw new CaldException($"{endOfText} is no id of an end-of-text token; ids are 0 or more");
        return new CorpusPlan([.. files.Select(Look)], tokenizer, endOfText, Math.Max(tokenizer.VocabularySize, endOfText + 1), options);
    }

    /// <summary>The manifest of the finished corpus.</summary>
    public CorpusManifest Manifest(IEnumerable<string> hashes, CorpusCounts counts) => new(
        Format,
        Tokenizer.Fingerprint,
        Vocabulary,
        EndOfText,
        Options.Split,
        Options.TextField,
        Options.ReplaceInvalidUtf8,
        [.. Files.Zip(hashes, (file, hash) => file with { Sha256 = hash })],
        counts);

    /// <summary>Stands for everything that the tokens depend on; files by path, size and time.</summary>
    public string Key()
    {
        StringBuilder text = new();
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{Format}\n{Tokenizer.Fingerprint}\n{EndOfText}\n{Options.Split}\n{Options.TextField}\n{Options.ReplaceInvalidUtf8}\n");
        foreach (CorpusSource file in Files)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{file.Path}\n{file.Bytes}\n{file.Modified.Ticks}\n");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static CorpusSource Look(string path)
    {
        FileInfo file = new(path);
        return file.Exists
            ? new CorpusSource(file.FullName, file.Length, file.LastWriteTimeUtc, "")
            : throw new CaldException($"{path}: there is no such text file");
    }
}
