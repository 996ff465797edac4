namespace LinearCald.Gpu.Debug;

/// <summary>
/// One warp of the running group: what its lanes have brought to the operation at hand, and its logical clock. The clock advances at every barrier that
/// the warp takes part in; <see cref="Known"/> holds, for each warp, up to which of its clock's values this warp has seen its shared-memory accesses.
/// </summary>
internal sealed class WarpRun(int index, int size)
{
    /// <summary>Eight-byte words that a lane can bring to an operation.</summary>
    public const int SlotWords = 5;

    private const int Warps = 32;

    // Two sets: a lane cannot come two operations ahead of one that still reads what was brought to this one.
    private readonly ulong[] _slots = new ulong[2 * Warp.Size * SlotWords];

    public int Index => index;

    /// <summary>Lanes that exist: 32 but in a group's last warp.</summary>
    public int Size => size;

    public int Arrived { get; set; }

    public string? Operation { get; set; }

    public uint Clock { get; private set; }

    public uint[] Known { get; } = new uint[Warps];

    public Span<ulong> Slot(int parity, int lane) => _slots.AsSpan(((parity * Warp.Size) + lane) * SlotWords, SlotWords);

    public void Reset()
    {
        Arrived = 0;
        Operation = null;
        Clock = 1;
        Array.Clear(Known);
    }

    /// <summary>What this warp did so far is now ordered before what its own lanes do from here on.</summary>
    public void Advance() => Known[index] = Clock++;

    /// <summary>Adds this warp's knowledge, and its own accesses up to now, to what a barrier gathers.</summary>
    public void Give(uint[] gathered)
    {
        Merge(gathered, Known);
        gathered[index] = Clock;
    }

    /// <summary>Adds what this warp knows and did so far to what an mbarrier gathers; later accesses are not part of it. Does not order its own lanes.</summary>
    public void Release(uint[] gathered)
    {
        Give(gathered);
        Clock++;
    }

    /// <summary>Takes over what an mbarrier has gathered. Does not order its own lanes.</summary>
    public void Acquire(uint[] gathered) => Merge(Known, gathered);

    /// <summary>Takes over what a barrier has gathered.</summary>
    public void Take(uint[] gathered)
    {
        Merge(Known, gathered);
        Advance();
    }

    private static void Merge(uint[] into, uint[] from)
    {
        for (int w = 0; w < Warps; w++)
        {
            into[w] = Math.Max(into[w], from[w]);
        }
    }
}
