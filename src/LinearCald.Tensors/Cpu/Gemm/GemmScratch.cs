using System.Runtime.InteropServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>What a scratch block is for; each thread has one block a purpose, so nothing that is alive is handed out twice.</summary>
internal enum GemmScratchUse
{
    PackedA,
    PackedB,
    EdgeTile,

    /// <summary>Belongs to a whole multi-threaded product: taken by the caller's thread, read or written by all.</summary>
    Shared,
}

/// <summary>
/// A thread's packing memory: 64-byte aligned native blocks that grow to the largest size asked for and are then reused, so a warm
/// product allocates nothing. The finalizer returns them when the thread has ended.
/// </summary>
internal sealed unsafe class GemmScratch
{
    private const int Uses = 4;

    [ThreadStatic]
    private static GemmScratch? t_mine;

    private readonly nint[] _blocks = new nint[Uses];
    private readonly long[] _bytes = new long[Uses];

    ~GemmScratch()
    {
        foreach (nint block in _blocks)
        {
            NativeMemory.AlignedFree((void*)block);
        }
    }

    /// <summary>At least <paramref name="count"/> elements, contents undefined, valid until this thread asks for the same use again.</summary>
    public static T* Get<T>(GemmScratchUse use, long count)
        where T : unmanaged => (T*)(t_mine ??= new GemmScratch()).Block((int)use, checked(count * sizeof(T)));

    private nint Block(int use, long bytes)
    {
        if (_bytes[use] < bytes)
        {
            NativeMemory.AlignedFree((void*)_blocks[use]);
            _blocks[use] = 0;
            _bytes[use] = 0;
            long rounded = (bytes + 4095) & ~4095L;
            _blocks[use] = (nint)NativeMemory.AlignedAlloc((nuint)rounded, 64);
            _bytes[use] = rounded;
        }

        return _blocks[use];
    }
}
