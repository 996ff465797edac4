using System.Runtime.InteropServices;

namespace LinearCald.Gpu.Debug;

/// <summary>
/// Memory of the debug device: blocks between guard bytes, which are checked when a block is given back. Blocks given back are kept for reuse by
/// requests of the same size.
/// </summary>
internal sealed unsafe class DebugMemory(long limit, bool poison) : IDisposable
{
    private const int Alignment = 256;
    private const int GuardBytes = 256;
    private const byte Guard = 0xA5;

    private readonly Dictionary<long, Stack<nint>> _free = [];
    private readonly SortedList<nint, Block> _used = [];
    private long _inUse;
    private long _pooled;
    private long _peak;
    private long _allocations;

    public AcceleratorMemory Statistics => new(_inUse, _pooled, _peak, _allocations);

    public void ResetPeak() => _peak = _inUse;

    public nint Allocate(long bytes, string purpose)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        if (_inUse + bytes > limit)
        {
            throw new CaldException($"out of memory: {bytes:N0} bytes for {purpose}, with {_inUse:N0} in use and {_pooled:N0} pooled of {limit:N0}");
        }

        nint address;
        if (_free.TryGetValue(bytes, out Stack<nint>? pool) && pool.TryPop(out address))
        {
            _pooled -= bytes;
        }
        else
        {
            address = (nint)NativeMemory.AlignedAlloc((nuint)(bytes + (2 * GuardBytes)), Alignment) + GuardBytes;
            _allocations++;
        }

        NativeMemory.Fill((void*)(address - GuardBytes), GuardBytes, Guard);
        NativeMemory.Fill((void*)(address + (nint)bytes), GuardBytes, Guard);
        Poison(address, bytes);
        _used.Add(address, new Block(bytes, purpose));
        _inUse += bytes;
        _peak = Math.Max(_peak, _inUse);
        return address;
    }

    public void Free(nint address)
    {
        if (!_used.Remove(address, out Block block))
        {
            throw new CaldException($"free of address {address:x}, which is not a block in use: it was freed before, or is not the start of a block");
        }

        _inUse -= block.Bytes;
        CheckGuard(address - GuardBytes, -GuardBytes, block);
        CheckGuard(address + (nint)block.Bytes, block.Bytes, block);
        Poison(address, block.Bytes);
        if (!_free.TryGetValue(block.Bytes, out Stack<nint>? pool))
        {
            _free.Add(block.Bytes, pool = []);
        }

        pool.Push(address);
        _pooled += block.Bytes;
    }

    public void Trim()
    {
        foreach (nint address in _free.Values.SelectMany(pool => pool))
        {
            NativeMemory.AlignedFree((void*)(address - GuardBytes));
        }

        _free.Clear();
        _pooled = 0;
    }

    /// <summary>Checks that bytes lie within one block in use.</summary>
    public void Require(nint address, long bytes, string action)
    {
        int low = 0, high = _used.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_used.GetKeyAtIndex(middle) <= address)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        if (low == 0 || address + bytes > _used.GetKeyAtIndex(low - 1) + _used.GetValueAtIndex(low - 1).Bytes)
        {
            throw new CaldException($"{action} of {bytes:N0} bytes at address {address:x}: they do not lie within one block in use");
        }
    }

    public void Dispose()
    {
        Trim();
        foreach (nint address in _used.Keys)
        {
            NativeMemory.AlignedFree((void*)(address - GuardBytes));
        }

        _used.Clear();
        _inUse = 0;
    }

    private void Poison(nint address, long bytes)
    {
        if (poison)
        {
            NativeMemory.Fill((void*)address, (nuint)bytes, 0xFF);
        }
    }

    private static void CheckGuard(nint guard, long offset, Block block)
    {
        int i = new ReadOnlySpan<byte>((void*)guard, GuardBytes).IndexOfAnyExcept(Guard);
        if (i >= 0)
        {
            throw new CaldException($"a kernel wrote outside of a block of {block.Bytes:N0} bytes for {block.Purpose}: at byte {offset + i:N0} from its start; a view was made longer than its block");
        }
    }

    private readonly record struct Block(long Bytes, string Purpose);
}
