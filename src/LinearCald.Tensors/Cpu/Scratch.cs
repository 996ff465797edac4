using System.Diagnostics;
using System.Runtime.InteropServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Working memory of one kernel call, aligned to a cache line and not cleared: kept by the calling thread and handed out again, so
/// that a call allocates nothing once a program runs. Nested uses get blocks of their own. Dispose in reverse order.
/// </summary>
internal readonly unsafe ref struct Scratch<T>
    where T : unmanaged
{
    /// <param name="count">Elements asked for.</param>
    public Scratch(long count) => Pointer = (T*)ScratchBlocks.Rent(checked((nuint)count * (nuint)sizeof(T)));

    /// <summary>The first element; the contents are arbitrary.</summary>
    public T* Pointer { get; }

    public void Dispose() => ScratchBlocks.Return(Pointer);
}

/// <summary>The blocks that one thread has asked for so far.</summary>
internal sealed unsafe class ScratchBlocks
{
    private const int MostNested = 8;

    [ThreadStatic]
    private static ScratchBlocks? t_blocks;

    private readonly void*[] _block = new void*[MostNested];
    private readonly nuint[] _size = new nuint[MostNested];
    private int _used;

    ~ScratchBlocks()
    {
        foreach (void* block in _block)
        {
            NativeMemory.AlignedFree(block);
        }
    }

    public static void* Rent(nuint bytes)
    {
        ScratchBlocks mine = t_blocks ??= new ScratchBlocks();
        int slot = mine._used++;
        if (mine._size[slot] < bytes)
        {
            NativeMemory.AlignedFree(mine._block[slot]);
            nuint size = bytes + (bytes / 4) + 4096;
            mine._block[slot] = NativeMemory.AlignedAlloc(size, 64);
            mine._size[slot] = size;
        }

        return mine._block[slot];
    }

    public static void Return(void* block)
    {
        ScratchBlocks mine = t_blocks!;
        mine._used--;
        Debug.Assert(mine._block[mine._used] == block, "scratch blocks are returned in reverse order, by the thread that asked for them");
    }
}
