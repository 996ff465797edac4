using System.IO.MemoryMappedFiles;

namespace LinearCald.Nn.Files;

/// <summary>
/// A safetensors file mapped into memory: opening reads the header only, pages of data come in as tensors are read.
/// The whole header is checked before anything is handed out. Reading is safe from several threads, but not while disposing.
/// </summary>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly SafetensorsHeader _header;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private byte* _data;

    private SafetensorsFile(string path, SafetensorsHeader header, MemoryMappedFile map, MemoryMappedViewAccessor view, byte* start)
    {
        Path = path;
        _header = header;
        _map = map;
        _view = view;
        _data = start + header.DataStart;
    }

    /// <summary>The file's path as it was given.</summary>
    public string Path { get; }

    /// <summary>The tensors in the order of their data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries => _header.Entries;

    /// <summary>The header's string pairs, such as <c>format</c> = <c>pt</c>; empty when there are none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Maps the file and checks its header.</summary>
    /// <exception cref="CaldException">The file is missing, unreadable, of another format, or breaks a rule of this one.</exception>
    public static SafetensorsFile Open(string path)
    {
        if (Directory.Exists(path))
            throw new CaldException($"{path} is a folder, not a safetensors file: name the file in it.");
        try
        {
            FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            try
            {
                return Map(path, stream);
            }
            catch
            {
                stream.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            string why = e is FileNotFoundException or DirectoryNotFoundException ? "there is no such file: check the path" : e.Message;
            throw new CaldException($"Cannot open {path}: {why}", e);
        }
    }

    /// <summary>The entry of a tensor, or null.</summary>
    public SafetensorsEntry? Find(string name) => _header.ByName.GetValueOrDefault(name);

    /// <summary>The entry of a tensor.</summary>
    /// <exception cref="CaldException">The file has no tensor of that name.</exception>
    public SafetensorsEntry Entry(string name) =>
        Find(name) ?? throw new CaldException($"{Path}: there is no tensor {Quoted.Of(name)} among its {Entries.Count}; 'cald inspect' lists them.");

    /// <summary>The bytes of a tensor where they are mapped: no copy. Valid until <see cref="Dispose"/>; using them later crashes the process.</summary>
    /// <exception cref="CaldException">No such tensor, or one of more than 2 GiB: read that in parts.</exception>
    public ReadOnlySpan<byte> Bytes(string name)
    {
        SafetensorsEntry entry = Entry(name);
        if (entry.ByteLength > int.MaxValue)
            throw new CaldException($"{Path}: tensor {Quoted.Of(name)} has {entry.ByteLength} bytes, too many for one span: read it as its element type.");
        return Slice(entry, 0, (int)entry.ByteLength);
    }

    /// <summary>Converts a floating-point tensor of any width to float32. <paramref name="destination"/> must have exactly the tensor's element count.</summary>
    /// <exception cref="CaldException">No such tensor, one that is not floating-point, or of another element count.</exception>
    public void Read(string name, Span<float> destination) => ReadPart(Whole(name, destination.Length), 0, destination);

    /// <summary>Converts a tensor to float64; see <see cref="Read(string, Span{float})"/>. Integers and bools are accepted here.</summary>
    public void Read(string name, Span<double> destination) => ReadPart(Whole(name, destination.Length), 0, destination);

    /// <summary>Converts an integer or bool tensor to int64; see <see cref="Read(string, Span{float})"/>.</summary>
    public void Read(string name, Span<long> destination) => ReadPart(Whole(name, destination.Length), 0, destination);

    /// <summary>Converts an integer or bool tensor to int32; see <see cref="Read(string, Span{float})"/>. A value that does not fit is an error.</summary>
    public void Read(string name, Span<int> destination)
    {
        SafetensorsEntry entry = Whole(name, destination.Length);
        Span<long> wide = stackalloc long[256];
        for (int first = 0; first < destination.Length; first += wide.Length)
        {
            Span<long> part = wide[..Math.Min(wide.Length, destination.Length - first)];
            ReadPart(entry, first, part);
            for (int i = 0; i < part.Length; i++)
            {
                if (part[i] != (int)part[i])
                    throw new CaldException($"{Path}: tensor {Quoted.Of(name)} holds {part[i]}, which does not fit into 32 bits.");
                destination[first + i] = (int)part[i];
            }
        }
    }

    /// <summary>Converts <paramref name="destination"/>.Length elements from element <paramref name="first"/> on.</summary>
    internal void ReadPart(SafetensorsEntry entry, long first, Span<float> destination) =>
        Convert(entry, first, destination, static (source, type, to) => ElementConversion.ToSingle(source, type, to));

    /// <inheritdoc cref="ReadPart(SafetensorsEntry, long, Span{float})"/>
    internal void ReadPart(SafetensorsEntry entry, long first, Span<double> destination) =>
        Convert(entry, first, destination, static (source, type, to) => ElementConversion.ToDouble(source, type, to));

    /// <inheritdoc cref="ReadPart(SafetensorsEntry, long, Span{float})"/>
    internal void ReadPart(SafetensorsEntry entry, long first, Span<long> destination) =>
        Convert(entry, first, destination, static (source, type, to) => ElementConversion.ToInt64(source, type, to));

    /// <summary>Unmaps the file. Spans from <see cref="Bytes"/> are invalid from here on.</summary>
    public void Dispose()
    {
        if (_data is not null)
        {
            _data = null;
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _map.Dispose();
        }
    }

    private delegate bool Conversion<T>(ReadOnlySpan<byte> source, Tensors.DType type, Span<T> destination);

    private static SafetensorsFile Map(string path, FileStream stream)
    {
        long length = stream.Length;
        if (length <= SafetensorsHeader.LengthBytes) // an empty file cannot be mapped
        {
            Span<byte> all = stackalloc byte[SafetensorsHeader.LengthBytes];
            SafetensorsHeader.Parse(all[..stream.ReadAtLeast(all, all.Length, throwOnEndOfStream: false)], length, path);
        }

        MemoryMappedFile map = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        MemoryMappedViewAccessor view = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        try
        {
            start += view.PointerOffset;
            int span = (int)Math.Min(length, SafetensorsHeader.LengthBytes + SafetensorsHeader.MaxJsonBytes);
            return new SafetensorsFile(path, SafetensorsHeader.Parse(new ReadOnlySpan<byte>(start, span), length, path), map, view, start);
        }
        catch
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
            view.Dispose();
            map.Dispose();
            throw;
        }
    }

    private SafetensorsEntry Whole(string name, int count)
    {
        SafetensorsEntry entry = Entry(name);
        return entry.ElementCount == count
            ? entry
            : throw new CaldException($"{Path}: tensor {Quoted.Of(name)} is {entry.Description} with {entry.ElementCount} elements, but {count} are wanted.");
    }

    private ReadOnlySpan<byte> Slice(SafetensorsEntry entry, long offset, int length)
    {
        ObjectDisposedException.ThrowIf(_data is null, this);
        return new ReadOnlySpan<byte>(_data + entry.Offset + offset, length);
    }

    private void Convert<T>(SafetensorsEntry entry, long first, Span<T> destination, Conversion<T> conversion)
    {
        if (entry.Type is not Tensors.DType type)
        {
            throw new CaldException(
                $"{Path}: tensor {Quoted.Of(entry.Name)} is of type {entry.TypeName}, which LinearCald cannot compute with: convert the model to F32, F16 or BF16 first.");
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + destination.Length, entry.ElementCount);
        const int Step = 1 << 26; // a span of bytes ends at 2 GiB
        for (int at = 0; at < destination.Length; at += Step)
        {
            Span<T> part = destination.Slice(at, Math.Min(Step, destination.Length - at));
            int size = Tensors.DTypeExtensions.Size(type);
            if (!conversion(Slice(entry, (first + at) * size, part.Length * size), type, part))
                throw new CaldException($"{Path}: tensor {Quoted.Of(entry.Name)} is {entry.Description}, which cannot be read as {typeof(T).Name}.");
        }
    }
}
