namespace LinearCald.Data.Language;

/// <summary>Where documents begin in plain text.</summary>
public enum DocumentSplit
{
    /// <summary>Lines that are blank stand between documents.</summary>
    BlankLine,

    /// <summary>A file is one document.</summary>
    WholeFile,
}

/// <summary>How text files become documents.</summary>
public sealed record TextCorpusOptions
{
    /// <summary>Where documents begin in plain text (.txt).</summary>
    public DocumentSplit Split { get; init; }

    /// <summary>The field of a JSON line (.jsonl) that holds the text.</summary>
    public string TextField { get; init; } = "text";

    /// <summary>Put U+FFFD in the place of bytes that are not UTF-8; otherwise they are an error.</summary>
    public bool ReplaceInvalidUtf8 { get; init; }

    /// <summary>Id put behind each document; null: the tokenizer's end of text.</summary>
    public int? EndOfText { get; init; }

    /// <summary>Threads that tokenise.</summary>
    public int Threads { get; init; } = 2;
}
