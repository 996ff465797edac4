namespace LinearCald.Data.Audio.Files;

/// <summary>
/// The bytes of an audio file or stream, read through a buffer, with the name and positions that messages need. Failures of the system come out as
/// <see cref="CaldException"/>.
/// </summary>
internal sealed class AudioSource : IDisposable
{
    private const int LargestBuffer = 1 << 16;

    private readonly Stream _stream;
    private readonly bool _ownsStream;
    private readonly long _origin; // of the audio in the stream
    private readonly byte[] _buffer;
    private int _start;
    private int _end;
    private long _bufferPosition; // of _buffer[0] in the audio

    /// <param name="stream">Read from its current position on.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="ownsStream">Whether <see cref="Dispose"/> closes the stream.</param>
    public AudioSource(Stream stream, string name, bool ownsStream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        (_stream, Name, _ownsStream) = (stream, name, ownsStream);
        if (stream.CanSeek)
        {
            _origin = stream.Position;
            Length = Math.Max(0, stream.Length - _origin);
        }

        _buffer = new byte[(int)Math.Clamp(Length ?? LargestBuffer, 64, LargestBuffer)];
    }

    /// <summary>What messages call it.</summary>
    public string Name { get; }

    /// <summary>In bytes; null for a stream that does not tell.</summary>
    public long? Length { get; }

    /// <summary>Whether <see cref="Seek"/> works.</summary>
    public bool CanSeek => Length is not null;

    /// <summary>Of the next byte.</summary>
    public long Position => _bufferPosition + _start;

    /// <exception cref="CaldException">The file is missing or may not be read.</exception>
    public static AudioSource Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length == 0 || Directory.Exists(path))
        {
            throw new CaldException(path.Length == 0 ? "an audio file without a name was given" : $"{path} is a folder; name the audio files in it");
        }

        try
        {
            return new AudioSource(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0), path, ownsStream: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new CaldException(e is FileNotFoundException or DirectoryNotFoundException ? $"{path} does not exist" : $"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The error for what is wrong at a byte.</summary>
    public CaldException Error(long position, string problem) => new($"{Name}, byte {position}: {problem}");

    /// <summary>The error for a file that ends too early.</summary>
    public CaldException Truncated(string what) => Error(Position, $"the file ends within {what}; it is cut short, so copy or convert it again");

    /// <summary>Up to <paramref name="count"/> bytes that stay to be read; fewer at the end.</summary>
    public ReadOnlySpan<byte> Peek(int count)
    {
        if (_end - _start < count)
        {
            _buffer.AsSpan(_start.._end).CopyTo(_buffer);
            _bufferPosition += _start;
            (_start, _end) = (0, _end - _start);
            while (_end < Math.Min(count, _buffer.Length) && Pull(_buffer.AsSpan(_end)) is int got and > 0)
            {
                _end += got;
            }
        }

        return _buffer.AsSpan(_start, Math.Min(count, _end - _start));
    }

    /// <summary>Fills the span; returns how many bytes there were, fewer only at the end.</summary>
    public int Read(Span<byte> target)
    {
        int done = Math.Min(target.Length, _end - _start);
        _buffer.AsSpan(_start, done).CopyTo(target);
        _start += done;
        while (done < target.Length)
        {
            if (target.Length - done >= _buffer.Length) // the buffer is empty here: straight into the target
            {
                int got = Pull(target[done..]);
                if (got == 0)
                {
                    break;
                }

                _bufferPosition += got;
                done += got;
                continue;
            }

            _bufferPosition += _start;
            _start = 0;
            _end = Pull(_buffer);
            if (_end == 0)
            {
                break;
            }

            int part = Math.Min(target.Length - done, _end);
            _buffer.AsSpan(0, part).CopyTo(target[done..]);
            _start = part;
            done += part;
        }

        return done;
    }

    /// <summary>Fills the span or throws.</summary>
    /// <param name="target">Where the bytes go.</param>
    /// <param name="what">Which part of the file this is, for the message.</param>
    public void ReadExactly(Span<byte> target, string what)
    {
        if (Read(target) < target.Length)
        {
            throw Truncated(what);
        }
    }

    /// <summary>Goes <paramref name="count"/> bytes on.</summary>
    public void Skip(long count, string what)
    {
        if (Length is { } length)
        {
            if (count > length - Position)
            {
                throw Error(Position, $"the file ends within {what}, which has {count} more bytes by the header; it is cut short or its header lies");
            }

            Seek(Position + count);
            return;
        }

        while (count > 0)
        {
            int part = (int)Math.Min(count, _buffer.Length);
            int there = Peek(part).Length;
            if (there == 0)
            {
                throw Truncated(what);
            }

            _start += there;
            count -= there;
        }
    }

    /// <summary>Goes to a byte.</summary>
    public void Seek(long position)
    {
        if (position >= _bufferPosition && position <= _bufferPosition + _end)
        {
            _start = (int)(position - _bufferPosition);
            return;
        }

        try
        {
            _stream.Seek(_origin + position, SeekOrigin.Begin);
        }
        catch (IOException e)
        {
            throw new CaldException($"{Name} cannot be read: {e.Message}", e);
        }

        (_bufferPosition, _start, _end) = (position, 0, 0);
    }

    /// <summary>Closes the stream if it is owned.</summary>
    public void Dispose()
    {
        if (_ownsStream)
        {
            _stream.Dispose();
        }
    }

    private int Pull(Span<byte> target)
    {
        try
        {
            return _stream.Read(target);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CaldException($"{Name} cannot be read at byte {_bufferPosition + _end}: {e.Message}", e);
        }
    }
}
