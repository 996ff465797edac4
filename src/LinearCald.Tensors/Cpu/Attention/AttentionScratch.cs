using System.Runtime.InteropServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>What a scratch block of the attention kernels is for; each thread has one block a purpose, so nothing that is alive is handed out twice.</summary>
internal enum AttentionScratchUse
{
    /// <summary>Tiles and panels of one task; belongs to the thread that executes it.</summary>
    Tile,

    /// <summary>Partial key and value gradients of all tasks of one call; taken by the caller's thread.</summary>
    Partials,

    /// <summary>Gradients of the projected keys and values in the Linformer's backward pass; taken by the caller's thread.</summary>
    Projected,
}

/// <summary>
/// A thread's working memory: 64-byte aligned native blocks that grow to the largest size asked for and are then reused, so a warm call
/// allocates nothing. The finalizer returns them when the thread has ended.
/// </summary>
internal sealed unsafe class AttentionScratch
{
    private const int Uses = 3;

    [ThreadStatic]
    private static AttentionScratch? t_mine;

    private readonly nint[] _blocks = new nint[Uses];
    private readonly long[] _bytes = new long[Uses];

    ~AttentionScratch()
    {
        foreach (nint block in _blocks)
        {
            NativeMemory.AlignedFree((void*)block);
        }
    }

    /// <summary>At least <paramref name="count"/> elements, contents undefined, valid until this thread asks for the same use again.</summary>
    public static T* Get<T>(AttentionScratchUse use, long count)
        where T : unmanaged => (T*)(t_mine ??= new AttentionScratch()).Block((int)use, checked(count * sizeof(T)));

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
