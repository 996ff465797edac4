using LinearCald.Testing.Ptx.Execution;
using Warp = LinearCald.Testing.Ptx.Execution.Warp;

namespace LinearCald.Testing.Ptx.Memory;

/// <summary>
/// Which group last wrote each place of global memory during a launch. Nothing orders two groups, so that a place written by two of them holds whatever came last:
/// an error, unless the later one writes the same bits, or both writes are atomic or volatile.
/// </summary>
internal sealed unsafe class GlobalWrites(int granule)
{
    private const int PageGranules = 1024;

    private readonly int _shift = int.Log2(granule);

    /// <summary>By number of page: 0 for nobody, else the group's number plus one, and the instruction behind it.</summary>
    private readonly Dictionary<ulong, long[]> _pages = [];
    private long[] _last = [];
    private ulong _lastNumber = ulong.MaxValue;

    /// <summary>Checks a write that is about to happen, and remembers it.</summary>
    /// <param name="address">Of the first byte.</param>
    /// <param name="source">What will be written.</param>
    public void Add(Warp warp, int lane, ulong address, int bytes, byte* source, Instruction instruction)
    {
        long mine = ((warp.Group.Number + 1) << 24) | (long)instruction.Index;
        ulong end = (address + (ulong)bytes - 1) >> _shift;
        for (ulong place = address >> _shift; place <= end; place++)
        {
            ref long owner = ref Page(place / PageGranules)[place % PageGranules];
            if (owner != 0 && owner >> 24 != mine >> 24)
            {
                CheckSame(warp, lane, address, bytes, place << _shift, source, owner, instruction);
            }

            owner = mine;
        }
    }

    private void CheckSame(Warp warp, int lane, ulong address, int bytes, ulong at, byte* source, long owner, Instruction instruction)
    {
        int offset = (int)(at - address);
        int size = Math.Min(1 << _shift, bytes - offset);
        if (!new ReadOnlySpan<byte>(source + offset, size).SequenceEqual(new ReadOnlySpan<byte>((byte*)at, size)))
        {
            PtxRun launch = warp.Group.Launch;
            Index3 other = launch.GroupAt((owner >> 24) - 1);
            throw warp.Error(
                lane, instruction,
                $"race: writes 0x{at:x} ({launch.Memory.Nearest(at)}), which group ({other.X}, {other.Y}, {other.Z}) wrote in this launch ({warp.Group.Describe((int)(owner & 0xFFFFFF))}); nothing orders two groups: give each its own place, or use atomics");
        }
    }

    private long[] Page(ulong number)
    {
        if (number != _lastNumber)
        {
            if (!_pages.TryGetValue(number, out long[]? page))
            {
                page = new long[PageGranules];
                _pages.Add(number, page);
            }

            _last = page;
            _lastNumber = number;
        }

        return _last;
    }
}
