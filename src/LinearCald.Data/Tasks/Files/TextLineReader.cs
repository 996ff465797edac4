using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace LinearCald.Data.Tasks.Files;

/// <summary>A line of a file.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Text">Without its end (LF or CR LF).</param>
internal readonly record struct TextLine(int Number, string Text);

/// <summary>
/// Lines of a UTF-8 file, plain or gzip. Only LF ends a line: what else may look like an end (a lone CR, U+0085, U+2028) does occur
/// inside the texts of public sets. A byte order mark is dropped; bytes that are not UTF-8 are an error, not replaced.
/// </summary>
internal sealed class TextLineReader : IDisposable
{
    /// <summary>The longest line that is read, in bytes; more means that the file is no text file of ours.</summary>
    public const int MaxLineBytes = 1 << 26;

    /// <summary>The most that is read of one file after unpacking, in bytes.</summary>
    public const long MaxFileBytes = 1L << 33;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _path;
    private readonly Stream _stream;
    private readonly uint? _unpackedSize; // of a gzip file, modulo 2³², as its last four bytes say
    private byte[] _buffer = new byte[1 << 16];
    private int _start;
    private int _end;
    private int _number;
    private long _read;
    private bool _atEnd;

    private TextLineReader(string path, Func<Stream> open)
    {
        _path = path;
        (_stream, _unpackedSize) = Translate(path, () => Unpacked(path, open()));
    }

    /// <summary>The lines of the file at <paramref name="path"/>, blank ones included; read as they are asked for.</summary>
    public static IEnumerable<TextLine> Read(string path) => Read(path, () => File.OpenRead(path));

    /// <summary>The same of a stream that can seek; <paramref name="path"/> is for messages.</summary>
    public static IEnumerable<TextLine> Read(string path, Func<Stream> open)
    {
        using TextLineReader reader = new(path, open);
        while (reader.NextLine() is { } line)
            yield return line;
    }

    public void Dispose() => _stream.Dispose();

    private TextLine? NextLine()
    {
        int searched = 0;
        while (true)
        {
            int found = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (found >= 0)
                return Take(searched + found, withEnd: true);
            searched = _end - _start;
            if (_atEnd)
                return searched == 0 ? null : Take(searched, withEnd: false);
            Fill();
        }
    }

    private TextLine Take(int length, bool withEnd)
    {
        _number++;
        ReadOnlySpan<byte> bytes = _buffer.AsSpan(_start, length);
        _start += length + (withEnd ? 1 : 0);
        if (_number == 1 && bytes.StartsWith("\uFEFF"u8))
            bytes = bytes[3..];
        if (bytes.EndsWith("\r"u8))
            bytes = bytes[..^1];
        try
        {
            return new TextLine(_number, Strict.GetString(bytes));
        }
        catch (DecoderFallbackException bad)
        {
            throw new CaldException(
                $"{_path}:{_number}: not valid UTF-8 (byte 0x{bad.BytesUnknown?[0]:X2} at position {bad.Index} of the line); save the file as UTF-8",
                bad);
        }
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
            if (_end >= MaxLineBytes)
                throw new CaldException(
                    $"{_path}:{_number + 1}: a line of more than {MaxLineBytes >> 20} MiB; this is not a file of one example a line");
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        int count = Translate(_path, () => _stream.Read(_buffer, _end, _buffer.Length - _end));
        _atEnd = count == 0;
        _end += count;
        _read += count;

        // GZipStream takes a file that was cut off for one that has ended.
        if (_atEnd && _unpackedSize is { } size && size != (uint)_read)
            throw new CaldException(
                $"{_path}: the gzip data are damaged or cut off, or made of several pieces; fetch the file again, or pack it in one piece");
        if (_read > MaxFileBytes)
            throw new CaldException($"{_path}: more than {MaxFileBytes >> 30} GiB of text; parts are held in memory, so split the file");
    }

    private static (Stream Stream, uint? UnpackedSize) Unpacked(string path, Stream file)
    {
        Span<byte> magic = stackalloc byte[6];
        int count = file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        magic = magic[..count];
        file.Position = 0;
        if (magic.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            return (new GZipStream(file, CompressionMode.Decompress), LastWord(file));
        string? other = magic.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]) ? "xz"
            : magic.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) ? "zstd"
            : magic.StartsWith((ReadOnlySpan<byte>)[(byte)'P', (byte)'K', 3, 4]) ? "zip"
            : null;
        if (other is null)
            return (file, null);
        file.Dispose();
        throw new CaldException($"{path} is compressed with {other}, which is not read: unpack it first, or compress it with gzip");
    }

    private static uint LastWord(Stream file)
    {
        Span<byte> word = stackalloc byte[4];
        file.Position = Math.Max(0, file.Length - word.Length);
        file.ReadAtLeast(word, word.Length, throwOnEndOfStream: false);
        file.Position = 0;
        return BinaryPrimitives.ReadUInt32LittleEndian(word);
    }

    private static T Translate<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException damaged)
        {
            throw new CaldException($"{path}: the gzip data are damaged ({damaged.Message}); fetch the file again", damaged);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CaldException(Directory.Exists(path) ? $"{path} is a folder; name the file in it" : $"{path} cannot be read: {failure.Message}", failure);
        }
    }
}
