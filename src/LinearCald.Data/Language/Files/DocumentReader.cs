using System.Buffers;
using System.Text;
using System.Text.Unicode;
using LinearCald.Data.Tasks.Files;

namespace LinearCald.Data.Language.Files;

/// <summary>The documents of one file, in order.</summary>
internal sealed class DocumentReader
{
    private readonly SourceStream _source;
    private readonly TextCorpusOptions _options;
    private readonly LineScanner _lines;
    private readonly bool _json;
    private readonly ArrayBufferWriter<byte> _document = new(1 << 16);

    /// <param name="source">The file, at its start.</param>
    /// <param name="place">Where to begin: the start, or a <see cref="Next"/> of earlier.</param>
    /// <param name="options">How documents are told apart.</param>
    public DocumentReader(SourceStream source, SourcePlace place, TextCorpusOptions options)
    {
        _source = source;
        _options = options;
        _json = TextCorpusFiles.IsJsonLines(source.Path);
        _lines = new LineScanner(source, place);
    }

    /// <summary>The place behind the document read last.</summary>
    public SourcePlace Next => _lines.Next;

    /// <summary>The next document, null at the end. A document may be blank.</summary>
    /// <exception cref="CaldException">Not UTF-8, or a malformed line.</exception>
    public string? Read() => _json ? ReadJson() : _options.Split == DocumentSplit.WholeFile ? ReadWhole() : ReadParagraphs();

    private string? ReadJson()
    {
        while (true)
        {
            SourcePlace place = _lines.Next;
            if (!_lines.TryRead(out ReadOnlySpan<byte> line))
                return null;
            if (IsBlank(line))
                continue;
            using JsonRow row = JsonRow.Parse(Decode(line, place.Offset), $"{_source.Path}:{place.Line + 1}");
            return row.Text(_options.TextField);
        }
    }

    private string? ReadWhole()
    {
        long offset = _lines.Next.Offset;
        ReadOnlySpan<byte> all = _lines.ReadAll();
        return all.IsEmpty ? null : Decode(all, offset);
    }

    /// <summary>Lines up to a blank one, joined by LF; CR before LF is dropped.</summary>
    private string? ReadParagraphs()
    {
        _document.ResetWrittenCount();
        SourcePlace place = _lines.Next;
        while (true)
        {
            SourcePlace before = _lines.Next;
            if (!_lines.TryRead(out ReadOnlySpan<byte> line))
                break;
            if (line.EndsWith("\r"u8))
                line = line[..^1];
            if (IsBlank(line))
            {
                if (_document.WrittenCount > 0)
                    break;
                continue;
            }

            if (_document.WrittenCount == 0)
                place = before;
            else
                _document.Write("\n"u8);
            if (_document.WrittenCount > LineScanner.MaxBytes - line.Length)
                throw new CaldException(
                    $"{_source.Path}:{place.Line + 1}: a document of more than {LineScanner.MaxBytes >> 20} MiB begins here; put blank lines between documents");
            CheckUtf8(line, before.Offset);
            _document.Write(line);
        }

        return _document.WrittenCount == 0 ? null : Encoding.UTF8.GetString(_document.WrittenSpan);
    }

    private string Decode(ReadOnlySpan<byte> bytes, long offset)
    {
        CheckUtf8(bytes, offset);
        return Encoding.UTF8.GetString(bytes);
    }

    private void CheckUtf8(ReadOnlySpan<byte> bytes, long offset)
    {
        if (_options.ReplaceInvalidUtf8 || Utf8.IsValid(bytes))
            return;
        long at = offset + FirstInvalid(bytes);
        throw new CaldException(
            $"{_source.Path}: not valid UTF-8: byte 0x{bytes[(int)(at - offset)]:X2} at byte offset {at}{(_lines.Next.Line > 1 ? $", line {_lines.Next.Line}" : "")}; " +
            "save the file as UTF-8, or allow such bytes to be replaced");
    }

    private static int FirstInvalid(ReadOnlySpan<byte> bytes)
    {
        int at = 0;
        while (Rune.DecodeFromUtf8(bytes[at..], out _, out int count) == OperationStatus.Done)
            at += count;
        return at;
    }

    private static bool IsBlank(ReadOnlySpan<byte> line) => line.IndexOfAnyExcept(" \t\r\f\v"u8) < 0;
}
