using System.Runtime.InteropServices;

namespace LinearCald.Testing.Ptx.Memory;

/// <summary>A live block of emulated device memory.</summary>
internal sealed record GlobalBlock(ulong Start, ulong End, string Purpose)
{
    public bool Holds(ulong address, int bytes) => address >= Start && address <= End && End - address >= (ulong)bytes;

    public override string ToString() => $"{End - Start:N0} bytes at 0x{Start:x} ({Purpose})";
}

/// <summary>The live blocks of emulated device memory, which is host memory with guard gaps around each block.</summary>
internal sealed unsafe class AddressMap : IDisposable
{
    /// <summary>Unused bytes before and after each block, so that an index just outside meets no other block.</summary>
    private const int Guard = 4096;

    private readonly SortedList<ulong, (GlobalBlock Block, nint Memory)> _blocks = [];

    public long InUse { get; private set; }

    public long Peak { get; private set; }

    public void ResetPeak() => Peak = InUse;

    public long Allocations { get; private set; }

    public int Count => _blocks.Count;

    /// <summary>A block aligned to 256 bytes, every byte 0xFF: NaN as any float.</summary>
    public nint Allocate(long bytes, string purpose)
    {
        nint memory = (nint)NativeMemory.AlignedAlloc((nuint)(bytes + (2 * Guard)), 256);
        nint start = memory + Guard;
        NativeMemory.Fill((void*)memory, (nuint)(bytes + (2 * Guard)), 0xFF);
        _blocks.Add((ulong)start, (new GlobalBlock((ulong)start, (ulong)(start + bytes), purpose), memory));
        InUse += bytes;
        Peak = Math.Max(Peak, InUse);
        Allocations++;
        return start;
    }

    public void Free(nint address)
    {
        if (!_blocks.Remove((ulong)address, out (GlobalBlock Block, nint Memory) found))
        {
            throw new CaldException($"0x{address:x} is freed, but no block starts there");
        }

        InUse -= (long)(found.Block.End - found.Block.Start);
        NativeMemory.AlignedFree((void*)found.Memory);
    }

    /// <summary>The block that holds all the bytes, or null.</summary>
    public GlobalBlock? Find(ulong address, int bytes)
    {
        int index = IndexBelow(address);
        GlobalBlock? block = index < 0 ? null : _blocks.Values[index].Block;
        return block is not null && block.Holds(address, bytes) ? block : null;
    }

    /// <summary>For errors: the block next to an address.</summary>
    public string Nearest(ulong address)
    {
        if (_blocks.Count == 0)
        {
            return "there is no live allocation";
        }

        int below = IndexBelow(address);
        GlobalBlock nearest = _blocks.Values[Math.Max(0, below)].Block;
        if (below + 1 < _blocks.Count && below >= 0)
        {
            GlobalBlock above = _blocks.Values[below + 1].Block;
            if (above.Start - address < address - Math.Min(address, nearest.End))
            {
                nearest = above;
            }
        }

        string where = address < nearest.Start ? $"{nearest.Start - address:N0} bytes before" : $"{address - nearest.Start:N0} bytes into";
        return $"{where} the nearest allocation, {nearest}";
    }

    public void Dispose()
    {
        foreach ((GlobalBlock _, nint memory) in _blocks.Values)
        {
            NativeMemory.AlignedFree((void*)memory);
        }

        _blocks.Clear();
    }

    private int IndexBelow(ulong address)
    {
        int low = 0;
        int high = _blocks.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_blocks.Keys[middle] <= address)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low - 1;
    }
}
