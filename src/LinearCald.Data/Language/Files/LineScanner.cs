namespace LinearCald.Data.Language.Files;

/// <summary>Lines of an unpacked file as bytes, and where they are. Only LF ends a line. A byte order mark at the start is passed over.</summary>
internal sealed class LineScanner
{
    /// <summary>The longest line or document, in bytes.</summary>
    public const int MaxBytes = 1 << 28;

    private readonly SourceStream _source;
    private byte[] _buffer = new byte[1 << 18];
    private int _start;
    private int _end;
    private bool _atEnd;

    /// <param name="source">The file, at its start.</param>
    /// <param name="place">Where to begin; the bytes before are read and passed over.</param>
    public LineScanner(SourceStream source, SourcePlace place)
    {
        _source = source;
        Next = place;
        for (long left = place.Offset; left > 0;)
        {
            int count = source.Read(_buffer.AsSpan(0, (int)Math.Min(left, _buffer.Length)));
            if (count == 0)
                throw new CaldException($"{source.Path}: the file has become shorter while it was read; leave the files alone and run the command again");
            left -= count;
        }

        if (place.Offset > 0)
            return;
        while (_end < 3 && !_atEnd)
            Fill();
        if (_buffer.AsSpan(0, _end).StartsWith("\uFEFF"u8))
        {
            _start = 3;
            Next = new SourcePlace(3, 0);
        }
    }

    /// <summary>The place behind the line read last.</summary>
    public SourcePlace Next { get; private set; }

    /// <summary>The next line without its LF; valid until the next call.</summary>
    /// <returns>False at the end.</returns>
    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        int searched = 0;
        while (true)
        {
            int found = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (found >= 0)
            {
                line = Take(searched + found, 1);
                return true;
            }

            searched = _end - _start;
            if (_atEnd)
            {
                line = searched == 0 ? default : Take(searched, 0);
                return searched > 0;
            }

            Fill();
        }
    }

    /// <summary>All that is left, as one piece.</summary>
    public ReadOnlySpan<byte> ReadAll()
    {
        while (!_atEnd)
            Fill();
        return Take(_end - _start, 0);
    }

    private ReadOnlySpan<byte> Take(int length, int ending)
    {
        ReadOnlySpan<byte> line = _buffer.AsSpan(_start, length);
        _start += length + ending;
        Next = new SourcePlace(Next.Offset + length + ending, Next.Line + 1);
        return line;
    }

    private void Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            if (_end >= MaxBytes)
                throw new CaldException(
                    $"{_source.Path}:{Next.Line + 1}: more than {MaxBytes >> 20} MiB in one piece; cut the file into smaller documents, with blank lines between them");
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        int count = _source.Read(_buffer.AsSpan(_end));
        _atEnd = count == 0;
        _end += count;
    }
}

/// <summary>A place in a file.</summary>
/// <param name="Offset">Unpacked bytes before it.</param>
/// <param name="Line">Lines before it.</param>
internal readonly record struct SourcePlace(long Offset, long Line);
