using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;

namespace LinearCald.Data.Language.Files;

/// <summary>The unpacked bytes of a file, plain or gzip, in one pass; the SHA-256 of the file itself is taken on the way.</summary>
internal sealed class SourceStream : IDisposable
{
    private readonly HashedFile _file;
    private readonly Stream _unpacked;
    private readonly uint? _unpackedSize; // of a gzip file, modulo 2³², as its last four bytes say
    private long _read;

    private SourceStream(string path, HashedFile file, Stream unpacked, uint? unpackedSize)
    {
        Path = path;
        _file = file;
        _unpacked = unpacked;
        _unpackedSize = unpackedSize;
    }

    public string Path { get; }

    /// <summary>Bytes of the file that were read so far.</summary>
    public long FileBytesRead => _file.BytesRead;

    /// <exception cref="CaldException">Unreadable, or packed in another way.</exception>
    public static SourceStream Open(string path) => Translate(path, () =>
    {
        FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16);
        try
        {
            byte[] magic = new byte[6];
            int count = file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
            ReadOnlySpan<byte> start = magic.AsSpan(0, count);
            if (FileLook.Packing(start) is { } packing)
                throw new CaldException(
                    $"{path} is packed with {packing.Name}, which is not read: unpack it first ({packing.Command} {System.IO.Path.GetFileName(path)}), or pack it with gzip");
            bool gzip = start.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]);
            uint? size = gzip ? LastWord(file) : null;
            file.Position = 0;
            HashedFile hashed = new(file);
            return new SourceStream(path, hashed, gzip ? new GZipStream(hashed, CompressionMode.Decompress) : hashed, size);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    });

    /// <summary>The next unpacked bytes; 0 at the end.</summary>
    /// <exception cref="CaldException">Unreadable, or damaged gzip data.</exception>
    public int Read(Span<byte> buffer)
    {
        int count;
        try
        {
            count = _unpacked.Read(buffer);
        }
        catch (InvalidDataException damaged)
        {
            throw new CaldException($"{Path}: the gzip data are damaged ({damaged.Message}); fetch the file again", damaged);
        }
        catch (IOException failure)
        {
            throw new CaldException($"{Path} cannot be read: {failure.Message}", failure);
        }

        _read += count;

        // GZipStream takes a file that was cut off for one that has ended.
        if (count == 0 && buffer.Length > 0 && _unpackedSize is { } size && size != (uint)_read)
            throw new CaldException($"{Path}: the gzip data are damaged or cut off, or made of several pieces; fetch the file again, or pack it in one piece");
        return count;
    }

    /// <summary>Reads what is left of the file and returns the SHA-256 of all of it, in hexadecimal.</summary>
    public string Finish() => Translate(Path, _file.Finish);

    public void Dispose()
    {
        _unpacked.Dispose();
        _file.Dispose();
    }

    private static uint LastWord(FileStream file)
    {
        Span<byte> word = stackalloc byte[4];
        file.Position = Math.Max(0, file.Length - word.Length);
        file.ReadAtLeast(word, word.Length, throwOnEndOfStream: false);
        return BinaryPrimitives.ReadUInt32LittleEndian(word);
    }

    private static T Translate<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CaldException($"{path} cannot be read: {failure.Message}", failure);
        }
    }

    private sealed class HashedFile(FileStream file) : Stream
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public long BytesRead { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            int count = file.Read(buffer);
            _hash.AppendData(buffer[..count]);
            BytesRead += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public string Finish()
        {
            byte[] rest = new byte[1 << 16];
            while (Read(rest) > 0)
            {
            }

            return Convert.ToHexStringLower(_hash.GetHashAndReset());
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _hash.Dispose();
                file.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
