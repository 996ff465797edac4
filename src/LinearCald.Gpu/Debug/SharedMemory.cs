using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LinearCald.Gpu.Debug;

/// <summary>
/// The shared memory of the running group, and for every byte whether it was written and who used it last: a write must be ordered by a barrier after
/// the last write and after the reads since, a read after the last write.
/// </summary>
internal sealed unsafe class SharedMemory : IDisposable
{
    private const nuint BaseAlignment = 1024;

    private readonly byte* _bytes;
    private readonly int _limit;
    private Shadow[] _shadows = [];
    private readonly List<(int Offset, long Bytes, int Alignment, int Thread)> _buffers = [];

    public SharedMemory(int limit)
    {
        _limit = limit;
        _bytes = (byte*)NativeMemory.AlignedAlloc((nuint)limit, BaseAlignment);
    }

    private enum Content : byte
    {
        Undefined,
        Defined,
        InFlight,
    }

    /// <summary>Bytes that the group has allocated.</summary>
    public int Allocated { get; private set; }

    public void Reset()
    {
        _shadows.AsSpan(0, Allocated).Clear();
        _buffers.Clear();
        Allocated = 0;
    }

    /// <summary>The offset of a lane's buffer number <paramref name="ordinal"/>; the first lane to come decides.</summary>
    public int Allocate(Lane lane, int ordinal, long bytes, int alignment)
    {
        if (bytes < 0 || alignment is < 1 or > (int)BaseAlignment || (alignment & (alignment - 1)) != 0)
        {
            throw new CaldException($"a shared buffer of {bytes:N0} bytes aligned to {alignment}: the length must not be negative, the alignment a power of two up to {BaseAlignment}");
        }

        if (ordinal < _buffers.Count)
        {
            (int offset, long otherBytes, int otherAlignment, int thread) = _buffers[ordinal];
            if (bytes != otherBytes || alignment != otherAlignment)
            {
                throw new CaldException(
                    $"shared buffer {ordinal} has {bytes:N0} bytes aligned to {alignment} here and {otherBytes:N0} aligned to {otherAlignment} on lane {thread}: all lanes must allocate alike");
            }

            return offset;
        }

        int start = (Allocated + alignment - 1) & -alignment;
        if (start + bytes > _limit)
        {
            throw new CaldException($"shared memory: {bytes:N0} bytes more than the {Allocated:N0} allocated before pass the limit of {_limit:N0} bytes a group");
        }

        _buffers.Add((start, bytes, alignment, lane.Thread));
        Allocated = start + (int)bytes;
        if (_shadows.Length < Allocated)
        {
            Array.Resize(ref _shadows, Math.Max(Allocated, Math.Min(2 * _shadows.Length, _limit)));
        }

        return start;
    }

    public T Read<T>(Lane lane, int address)
        where T : unmanaged
    {
        foreach (ref Shadow shadow in _shadows.AsSpan(address, sizeof(T)))
        {
            if (shadow.Content != Content.Defined)
            {
                throw new CaldException(
                    shadow.Content == Content.Undefined
                        ? $"read of shared memory that was never written ({Place(address)})"
                        : $"read of shared memory whose asynchronous copy has not been waited for ({Place(address)})");
            }

            if (!shadow.Writer.IsBefore(lane))
            {
                throw Race(address, $"lane {shadow.Writer.Lane} wrote what this lane reads");
            }

            shadow.AddReader(lane);
        }

        return Unsafe.ReadUnaligned<T>(_bytes + address);
    }

    public void Write<T>(Lane lane, int address, T value)
        where T : unmanaged
    {
        Stamp stamp = new(lane);
        foreach (ref Shadow shadow in _shadows.AsSpan(address, sizeof(T)))
        {
            CheckWrite(lane, address, shadow);
            shadow = new Shadow { Content = Content.Defined, Writer = stamp };
        }

        Unsafe.WriteUnaligned(_bytes + address, value);
    }

    /// <summary>The value before an atomic update. Atomic updates of several lanes need no barrier between them.</summary>
    public T BeginAtomic<T>(Lane lane, int address)
        where T : unmanaged
    {
        foreach (ref readonly Shadow shadow in _shadows.AsSpan(address, sizeof(T)))
        {
            if (shadow.Content != Content.Defined)
            {
                throw new CaldException($"atomic update of shared memory that was never written ({Place(address)})");
            }

            if (!shadow.Atomic)
            {
                CheckWrite(lane, address, shadow);
            }
            else if (shadow.UnorderedReader(lane) is { } reader)
            {
                throw Race(address, $"lane {reader} read what this lane updates");
            }
        }

        return Unsafe.ReadUnaligned<T>(_bytes + address);
    }

    public void EndAtomic<T>(Lane lane, int address, T value)
        where T : unmanaged
    {
        Stamp stamp = new(lane);
        _shadows.AsSpan(address, sizeof(T)).Fill(new Shadow { Content = Content.Defined, Writer = stamp, Atomic = true });
        Unsafe.WriteUnaligned(_bytes + address, value);
    }

    public void BeginCopy(Lane lane, int address, int bytes)
    {
        Stamp stamp = new(lane);
        foreach (ref Shadow shadow in _shadows.AsSpan(address, bytes))
        {
            CheckWrite(lane, address, shadow);
            shadow = new Shadow { Content = Content.InFlight, Writer = stamp };
        }
    }

    public void EndCopy(Lane lane, PendingCopy copy)
    {
        Span<byte> destination = new(_bytes + copy.Destination, copy.Bytes);
        if (copy.Source == 0)
        {
            destination.Clear();
        }
        else
        {
            new ReadOnlySpan<byte>((void*)copy.Source, copy.Bytes).CopyTo(destination);
        }

        _shadows.AsSpan(copy.Destination, copy.Bytes).Fill(new Shadow { Content = Content.Defined, Writer = new Stamp(lane) });
    }

    /// <summary>Ends a copy that <see cref="BeginCopy"/> has begun. Who may read is up to the barrier that it signals.</summary>
    public void Land(int address, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(new Span<byte>(_bytes + address, bytes.Length));
        foreach (ref Shadow shadow in _shadows.AsSpan(address, bytes.Length))
        {
            shadow.Content = Content.Defined;
        }
    }

    public void Dispose() => NativeMemory.AlignedFree(_bytes);

    private void CheckWrite(Lane lane, int address, in Shadow shadow)
    {
        if (!shadow.Writer.IsBefore(lane))
        {
            throw Race(address, $"lane {shadow.Writer.Lane} wrote what this lane writes");
        }

        if (shadow.Content == Content.InFlight)
        {
            throw new CaldException($"write to shared memory while an asynchronous copy to it runs ({Place(address)})");
        }

        if (shadow.UnorderedReader(lane) is { } reader)
        {
            throw Race(address, $"lane {reader} read what this lane writes");
        }
    }

    private CaldException Race(int address, string what) => new($"race in shared memory ({Place(address)}): {what}, with no barrier between them");

    private string Place(int address)
    {
        int buffer = _buffers.FindLastIndex(b => b.Offset <= address);
        return $"byte {address - _buffers[buffer].Offset:N0} of buffer {buffer}";
    }

    /// <summary>A lane at a time of its warp's clock; the default stands for nobody.</summary>
    private readonly struct Stamp(Lane lane)
    {
        private readonly ushort _lane = (ushort)(lane.Thread + 1);
        private readonly uint _clock = lane.WarpRun.Clock;

        public int Lane => _lane - 1;

        /// <summary>Whether a barrier, or the lane's own order, puts the access before what <paramref name="lane"/> does now.</summary>
        public bool IsBefore(Lane lane) => _lane == 0 || _lane == lane.Thread + 1 || lane.WarpRun.Known[Lane >> 5] >= _clock;
    }

    private struct Shadow
    {
        public Content Content;
        public bool Atomic;
        public Stamp Writer;
        private Stamp _reader;
        private Stamp _otherReader;

        /// <summary>
        /// Remembers a read. A reader that is ordered before this one need not be kept: whoever is ordered after this one is ordered after it too. Of three
        /// readers with no order between them one of a warp that is known anyway is dropped.
        /// </summary>
        public void AddReader(Lane lane)
        {
            if (_reader.IsBefore(lane))
            {
                _reader = new Stamp(lane);
            }
            else if (_otherReader.IsBefore(lane) || _otherReader.Lane >> 5 == _reader.Lane >> 5)
            {
                _otherReader = new Stamp(lane);
            }
        }

        public readonly int? UnorderedReader(Lane lane) =>
            !_reader.IsBefore(lane) ? _reader.Lane : !_otherReader.IsBefore(lane) ? _otherReader.Lane : null;
    }
}
