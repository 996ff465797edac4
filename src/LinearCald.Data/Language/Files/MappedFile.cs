using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace LinearCald.Data.Language.Files;

/// <summary>A file in the address space, read only; every read is checked against the file's length. Any thread may read.</summary>
internal sealed class MappedFile : IDisposable
{
    private readonly MemoryMappedFile? _file; // null: the file is empty, which cannot be mapped
    private readonly MemoryMappedViewAccessor? _view;

    private MappedFile(string path, long length, MemoryMappedFile? file, MemoryMappedViewAccessor? view)
    {
        Path = path;
        Length = length;
        _file = file;
        _view = view;
    }

    public string Path { get; }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <exception cref="CaldException">The file cannot be opened.</exception>
    public static MappedFile Open(string path)
    {
        MemoryMappedFile? file = null;
        try
        {
            FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
            long length = stream.Length;
            if (length == 0)
            {
                stream.Dispose();
                return new MappedFile(path, 0, null, null);
            }

            file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            return new MappedFile(path, length, file, file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw new CaldException($"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Copies from <paramref name="offset"/> (bytes) on; the whole span must lie within the file.</summary>
    public void Read<T>(long offset, Span<T> target)
        where T : unmanaged
    {
        Span<byte> bytes = MemoryMarshal.AsBytes(target);
        if (offset < 0 || offset > Length - bytes.Length)
            throw new ArgumentOutOfRangeException(nameof(offset), $"{bytes.Length} bytes at {offset} of {Path}, which has {Length}");
        if (bytes.Length > 0)
            _view!.SafeMemoryMappedViewHandle.ReadSpan((ulong)(_view.PointerOffset + offset), bytes);
    }

    /// <summary>One value at <paramref name="offset"/> (bytes).</summary>
    public T Read<T>(long offset)
        where T : unmanaged
    {
        T value = default;
        Read(offset, new Span<T>(ref value));
        return value;
    }

    public void Dispose()
    {
        _view?.Dispose();
        _file?.Dispose();
    }
}
