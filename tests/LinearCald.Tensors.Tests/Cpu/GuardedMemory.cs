using System.Diagnostics;
using System.Runtime.InteropServices;

namespace LinearCald.Tensors.Tests.Cpu;

/// <summary>
/// Bytes that begin or end exactly at a page that must not be touched: an access beyond that end, be it a read, ends the process with the kernel's stack trace.
/// What is left of the pages at the other end holds a poison, which <see cref="IsClean"/> checks. Where the system is not a Unix, both ends have only the poison.
/// </summary>
internal sealed unsafe partial class GuardedMemory : IDisposable
{
    private const byte Poison = 0xFF;
    private const int ReadWrite = 1 | 2;
    private static readonly bool s_hasPages = !OperatingSystem.IsWindows();
    private readonly byte* _inner;
    private readonly nuint _innerBytes;
    private readonly nuint _bytes;
    private byte* _outer;

    /// <summary>Fills fresh memory with the poison: NaN as a number.</summary>
    public GuardedMemory(long bytes)
    {
        nuint page = (nuint)Environment.SystemPageSize;
        _bytes = (nuint)bytes;
        _innerBytes = Math.Max((_bytes + page - 1) / page, 1) * page;
        _outer = s_hasPages ? Map(_innerBytes + (2 * page)) : (byte*)NativeMemory.AlignedAlloc(_innerBytes + (2 * page), page);
        _inner = _outer + page;
        if (!s_hasPages)
        {
            NativeMemory.Fill(_outer, _innerBytes + (2 * page), Poison);
        }
        else if (Protect(_inner, _innerBytes, ReadWrite) != 0)
        {
            throw new InvalidOperationException($"opening {_innerBytes} bytes between guard pages: error {Marshal.GetLastPInvokeError()}");
        }

        NativeMemory.Fill(_inner, _innerBytes, Poison);
        Pointer = BeginsAtGuard ? _inner : _inner + (_innerBytes - _bytes);
        GC.AddMemoryPressure(checked((long)_innerBytes));
    }

    ~GuardedMemory() => Free();

    /// <summary>Whether new memory begins at a guard page. Otherwise, as at first, it ends at one.</summary>
    public static bool BeginsAtGuard { get; set; }

    public byte* Pointer { get; }

    /// <summary>Whether nothing was written around the memory.</summary>
    public bool IsClean =>
        !new ReadOnlySpan<byte>(_inner, checked((int)(Pointer - _inner))).ContainsAnyExcept(Poison)
        && !new ReadOnlySpan<byte>(Pointer + _bytes, checked((int)(_inner + _innerBytes - (Pointer + _bytes)))).ContainsAnyExcept(Poison);

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private static byte* Map(nuint bytes)
    {
        const int PrivateMapping = 2;
        int anonymous = OperatingSystem.IsLinux() ? 0x20 : 0x1000;
        byte* p = Map(null, bytes, 0, PrivateMapping | anonymous, -1, 0);
        return p != (byte*)-1 ? p : throw new InvalidOperationException($"reserving {bytes} bytes with guard pages: error {Marshal.GetLastPInvokeError()}");
    }

    private void Free()
    {
        if (_outer is null)
        {
            return;
        }

        if (s_hasPages)
        {
            int failed = Unmap(_outer, _innerBytes + (2 * (nuint)Environment.SystemPageSize));
            Debug.Assert(failed == 0, "memory with guard pages was not given back");
        }
        else
        {
            NativeMemory.AlignedFree(_outer);
        }

        _outer = null;
        GC.RemoveMemoryPressure(checked((long)_innerBytes));
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial byte* Map(void* address, nuint bytes, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(void* address, nuint bytes, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint bytes);
}
