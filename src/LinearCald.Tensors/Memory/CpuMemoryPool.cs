using System.Numerics;
using System.Runtime.InteropServices;

namespace LinearCald.Tensors.Memory;

/// <summary>A 64-byte aligned native buffer.</summary>
internal sealed unsafe class CpuStorage : Storage, IDisposable
{
    public CpuStorage(Device device, long bytes)
        : base(device, bytes)
    {
        Pointer = NativeMemory.AlignedAlloc((nuint)bytes, 64);
    }

    /// <summary>Only for buffers that were dropped without being disposed of.</summary>
    ~CpuStorage() => NativeMemory.AlignedFree(Pointer);

    public void* Pointer { get; private set; }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
    }
}

/// <summary>
/// Free buffers by size class (four classes an octave), so that batches of slightly different lengths share memory. Thread-safe.
/// </summary>
internal sealed class CpuMemoryPool
{
    private const int MinimumBytes = 256;
    private readonly Lock _gate = new();
    private readonly SortedList<long, Stack<CpuStorage>> _free = [];
    private long _inUse;
    private long _pooled;
    private long _peak;
    private long _allocations;

    /// <summary>Fill every buffer with NaN bits (all ones) when it is given out, so that a read before a write shows. Tests switch it on.</summary>
    public bool Poison { get; set; }

    public MemoryStatistics Statistics
    {
        get
        {
            lock (_gate)
            {
                return new MemoryStatistics(_inUse, _pooled, _peak, _allocations);
            }
        }
    }

    public void ResetPeak()
    {
        lock (_gate)
        {
            _peak = _inUse;
        }
    }

    public unsafe CpuStorage Rent(Device device, long bytes, string purpose)
    {
        long size = SizeClass(bytes);
        CpuStorage? storage = null;
        lock (_gate)
        {
            // The class itself or one of the next three: at most 1.75 times what was asked.
            long limit = size + (size / 4 * 3);
            for (int i = LowerBound(size); i < _free.Count && _free.GetKeyAtIndex(i) <= limit; i++)
            {
                if (_free.GetValueAtIndex(i).TryPop(out storage))
                {
                    _pooled -= storage.Bytes;
                    break;
                }
            }

            _inUse += storage?.Bytes ?? size;
            _peak = Math.Max(_peak, _inUse);
        }

        if (storage is null)
        {
            try
            {
                storage = new CpuStorage(device, size);
            }
            catch (OutOfMemoryException e)
            {
                Trim();
                MemoryStatistics now = Statistics;
                throw new CaldException(
                    $"out of memory on cpu: {bytes:N0} bytes asked for {purpose}, {now.InUse:N0} bytes in use; use a smaller batch or length, or activation checkpointing",
                    e);
            }

            Interlocked.Increment(ref _allocations);
        }

        if (Poison)
        {
            NativeMemory.Fill(storage.Pointer, (nuint)storage.Bytes, 0xFF);
        }

        return storage;
    }

    public void Return(CpuStorage storage)
    {
        lock (_gate)
        {
            _inUse -= storage.Bytes;
            _pooled += storage.Bytes;
            if (!_free.TryGetValue(storage.Bytes, out Stack<CpuStorage>? stack))
            {
                _free.Add(storage.Bytes, stack = new Stack<CpuStorage>());
            }

            stack.Push(storage);
        }
    }

    /// <summary>Gives all free buffers back to the system.</summary>
    public void Trim()
    {
        lock (_gate)
        {
            foreach (Stack<CpuStorage> stack in _free.Values)
            {
                while (stack.TryPop(out CpuStorage? storage))
                {
                    _pooled -= storage.Bytes;
                    storage.Dispose();
                }
            }

            _free.Clear();
        }
    }

    internal static long SizeClass(long bytes)
    {
        if (bytes <= MinimumBytes)
        {
            return MinimumBytes;
        }

        long quarter = (long)(BitOperations.RoundUpToPowerOf2((ulong)bytes) / 8);
        return (bytes + quarter - 1) / quarter * quarter;
    }

    private int LowerBound(long size)
    {
        int low = 0;
        int high = _free.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_free.GetKeyAtIndex(middle) < size)
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
}
