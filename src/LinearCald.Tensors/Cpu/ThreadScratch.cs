using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// A thread's working memory: 64-byte aligned native blocks that grow to the largest size asked for and are then reused, so a warm call
/// allocates nothing. The finalizer returns them when the thread has ended.
/// </summary>
/// <typeparam name="TUse">What blocks are for, numbered from 0 as int: each thread has one block a purpose, so nothing that is alive is handed out twice.</typeparam>
internal sealed unsafe class ThreadScratch<TUse>
    where TUse : unmanaged, Enum
{
    private static readonly int s_uses = Enum.GetValues<TUse>().Length;

    [ThreadStatic]
    private static ThreadScratch<TUse>? t_mine;

    private readonly nint[] _blocks = new nint[s_uses];
    private readonly long[] _bytes = new long[s_uses];

    ~ThreadScratch()
    {
        foreach (nint block in _blocks)
        {
            NativeMemory.AlignedFree((void*)block);
        }
    }

    /// <summary>At least <paramref name="count"/> elements, contents undefined, valid until this thread asks for the same use again.</summary>
    public static T* Get<T>(TUse use, long count)
        where T : unmanaged => (T*)(t_mine ??= new ThreadScratch<TUse>()).Block(Unsafe.BitCast<TUse, int>(use), checked(count * sizeof(T)));

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
