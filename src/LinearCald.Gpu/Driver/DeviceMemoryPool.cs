using System.Globalization;
using System.Numerics;

namespace LinearCald.Gpu.Driver;

/// <summary>
/// Device memory by size class over a slow allocator. A block may be given out again as soon as it was freed, because all work runs in one order.
/// Work recorded into a graph keeps using its addresses, so blocks that were freed while recording go to an arena that recordings share: it serves
/// later recordings, and everyone again once no graph is left.
/// </summary>
internal sealed class DeviceMemoryPool
{
    private const long Smallest = 256;
    private const long Page = 2L << 20;
    private readonly IBlockSource _source;
    private readonly string _device;
    private readonly SortedList<long, Stack<nint>> _free = [];
    private readonly SortedList<long, Stack<nint>> _arena = [];
    private readonly Dictionary<nint, Block> _used = [];
    private long _inUse;
    private long _pooled;
    private long _peak;
    private long _allocations;
    private int _graphs;
    private bool _recording;

    public DeviceMemoryPool(IBlockSource source, string device)
    {
        _source = source;
        _device = device;
    }

    /// <summary>Bytes that may be asked of the source in all; for tests of what happens when memory runs out.</summary>
    public long Limit { get; set; } = long.MaxValue;

    public AcceleratorMemory Statistics => new(_inUse, _pooled, _peak, _allocations);

    public void ResetPeak() => _peak = _inUse;

    /// <summary>The capacity of the block that serves a request: four classes an octave up to 1 MiB, then eight, in whole pages of the device.</summary>
    public static long SizeClass(long bytes)
    {
        if (bytes <= Smallest)
        {
            return Smallest;
        }

        long octave = (long)BitOperations.RoundUpToPowerOf2((ulong)bytes);
        long step = bytes <= Page / 2 ? Math.Max(Smallest, octave / 8) : Math.Max(Page, octave / 16);
        return (bytes + step - 1) / step * step;
    }

    public nint Allocate(long bytes, string purpose)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        long size = SizeClass(bytes);
        if (!_recording || !Take(_arena, ref size, out nint address))
        {
            if (Take(_free, ref size, out address))
            {
                _pooled -= size;
            }
            else
            {
                address = FromSource(size, bytes, purpose);
            }

            _inUse += size;
            _peak = Math.Max(_peak, _inUse);
        }

        _used.Add(address, new Block(size, _recording));
        return address;
    }

    /// <exception cref="CaldException">The address was not given out here, or was freed before.</exception>
    public void Free(nint address)
    {
        if (!_used.Remove(address, out Block block))
        {
            throw new CaldException($"{_device}: address 0x{address:x} is not in use: it was freed twice, or was not allocated here");
        }

        if (_recording || (block.Recorded && _graphs > 0))
        {
            Put(_arena, block.Bytes, address);
            return;
        }

        Put(_free, block.Bytes, address);
        _inUse -= block.Bytes;
        _pooled += block.Bytes;
    }

    /// <summary>From here on, blocks that are freed stay with the graph that is being recorded.</summary>
    public void BeginRecording() => _recording = true;

    /// <summary>Ends recording.</summary>
    /// <param name="kept">Whether a graph came of it, which will call <see cref="GraphDropped"/>.</param>
    public void EndRecording(bool kept)
    {
        _recording = false;
        if (kept)
        {
            _graphs++;
        }
        else if (_graphs == 0)
        {
            DissolveArena();
        }
    }

    /// <summary>A graph will not be replayed any more.</summary>
    public void GraphDropped()
    {
        if (--_graphs == 0 && !_recording)
        {
            DissolveArena();
        }
    }

    /// <summary>Gives the free blocks back to the source.</summary>
    public void Trim()
    {
        foreach ((long size, Stack<nint> stack) in _free)
        {
            while (stack.TryPop(out nint address))
            {
                _pooled -= size;
                _source.Free(address);
            }
        }

        _free.Clear();
    }

    /// <summary>Gives everything back, in use or not.</summary>
    public void Clear()
    {
        DissolveArena();
        Trim();
        foreach (nint address in _used.Keys)
        {
            _source.Free(address);
        }

        _used.Clear();
        _inUse = 0;
    }

    private static bool Take(SortedList<long, Stack<nint>> lists, ref long size, out nint address)
    {
        // The class itself or one up to a half larger: less is wasted than a new block would cost.
        long limit = size + (size / 2);
        for (int i = LowerBound(lists, size); i < lists.Count && lists.GetKeyAtIndex(i) <= limit; i++)
        {
            if (lists.GetValueAtIndex(i).TryPop(out address))
            {
                size = lists.GetKeyAtIndex(i);
                return true;
            }
        }

        address = 0;
        return false;
    }

    private static void Put(SortedList<long, Stack<nint>> lists, long size, nint address)
    {
        if (!lists.TryGetValue(size, out Stack<nint>? stack))
        {
            lists.Add(size, stack = new Stack<nint>());
        }

        stack.Push(address);
    }

    private static int LowerBound(SortedList<long, Stack<nint>> lists, long size)
    {
        int low = 0;
        int high = lists.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (lists.GetKeyAtIndex(middle) < size)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private nint FromSource(long size, long asked, string purpose)
    {
        if (!TrySource(size, out nint address))
        {
            long pooled = _pooled;
            if (!_recording)
            {
                Trim();
            }

            if (!TrySource(size, out address))
            {
                (long free, long total) = _source.Available();
                throw new CaldException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"out of memory on {_device}: {asked:N0} bytes asked for {purpose}; of {total:N0} bytes {free:N0} are free, {_inUse:N0} in use here and {pooled:N0} were kept for reuse{(_recording ? " (which cannot be given back while a graph is recorded)" : " (given back before trying again)")}; use a smaller batch or length, or activation checkpointing"));
            }
        }

        _allocations++;
        return address;
    }

    private bool TrySource(long size, out nint address)
    {
        address = 0;
        return size <= Limit - _inUse - _pooled && _source.TryAllocate(size, out address);
    }

    private void DissolveArena()
    {
        foreach ((long size, Stack<nint> stack) in _arena)
        {
            while (stack.TryPop(out nint address))
            {
                Put(_free, size, address);
                _inUse -= size;
                _pooled += size;
            }
        }

        _arena.Clear();
    }

    /// <param name="Bytes">Capacity.</param>
    /// <param name="Recorded">Given out while a graph was recorded, which may use the address again.</param>
    private readonly record struct Block(long Bytes, bool Recorded);
}

/// <summary>Where a pool gets its blocks.</summary>
internal interface IBlockSource
{
    /// <summary>A new block, or false when there is no memory.</summary>
    bool TryAllocate(long bytes, out nint address);

    /// <summary>Gives a block back.</summary>
    void Free(nint address);

    /// <summary>Bytes free and bytes in all.</summary>
    (long Free, long Total) Available();
}
