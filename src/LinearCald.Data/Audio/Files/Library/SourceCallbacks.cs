using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LinearCald.Data.Audio.Files.Library;

/// <summary>What libsndfile calls to read a source. Exceptions must not cross native frames: they are kept, and thrown when the library has returned.</summary>
internal sealed unsafe class SourceCallbacks : IDisposable
{
    private readonly AudioSource _source;
    private long _position;
    private Exception? _failure;
    private GCHandle _self;

    /// <param name="source">One that cannot seek is read to its end here; the caller disposes of it.</param>
    public SourceCallbacks(AudioSource source)
    {
        _source = source.CanSeek ? source : new AudioSource(new MemoryStream(ReadAll(source)), source.Name, ownsStream: true);
        _self = GCHandle.Alloc(this);
    }

    /// <summary>The functions, for sf_open_virtual.</summary>
    public static LibSndFile.VirtualFile Table => new() { Length = &Length, Seek = &Seek, Read = &Read, Write = &Write, Tell = &Tell };

    /// <summary>What the library hands back to the functions.</summary>
    public nint Address => GCHandle.ToIntPtr(_self);

    /// <summary>Throws what a function caught.</summary>
    public void Rethrow()
    {
        if (_failure is { } failure)
        {
            _failure = null;
            throw failure is CaldException ? failure : new CaldException($"{_source.Name} cannot be read: {failure.Message}", failure);
        }
    }

    public void Dispose()
    {
        if (_self.IsAllocated)
        {
            _self.Free();
        }
    }

    private static byte[] ReadAll(AudioSource source)
    {
        using MemoryStream all = new();
        byte[] chunk = new byte[1 << 16];
        while (source.Read(chunk) is int got and > 0)
        {
            if (all.Length + got > Array.MaxLength / 2)
            {
                throw source.Error(source.Position, "the stream is too long to be taken into memory, which its format needs; give it as a file");
            }

            all.Write(chunk, 0, got);
        }

        return all.ToArray();
    }

    private static SourceCallbacks Of(nint user) => (SourceCallbacks)GCHandle.FromIntPtr(user).Target!;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long Length(nint user) => Of(user)._source.Length ?? 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long Tell(nint user) => Of(user)._position;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long Write(byte* bytes, long count, nint user) => 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long Seek(long offset, int origin, nint user)
    {
        SourceCallbacks self = Of(user);
        long position = offset + origin switch { 0 => 0, 1 => self._position, _ => self._source.Length ?? 0 };
        if (position < 0)
        {
            return -1;
        }

        self._position = position;
        return position;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long Read(byte* bytes, long count, nint user)
    {
        SourceCallbacks self = Of(user);
        try
        {
            self._source.Seek(self._position);
            int got = self._source.Read(new Span<byte>(bytes, (int)Math.Clamp(count, 0, int.MaxValue)));
            self._position += got;
            return got;
        }
        catch (Exception e) // whatever it is, it is thrown by Rethrow
        {
            self._failure = e;
            return 0;
        }
    }
}
