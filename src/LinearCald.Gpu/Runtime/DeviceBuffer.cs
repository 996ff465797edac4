using System.Runtime.InteropServices;

namespace LinearCald.Gpu;

/// <summary>A typed block of an accelerator's memory.</summary>
public sealed unsafe class DeviceBuffer<T> : IDisposable
    where T : unmanaged
{
    private readonly Accelerator _accelerator;
    private nint _address;

    internal DeviceBuffer(Accelerator accelerator, long length, string purpose)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        _accelerator = accelerator;
        Length = length;
        _address = accelerator.Allocate(Math.Max(1, length * sizeof(T)), purpose);
    }

    /// <summary>Number of elements.</summary>
    public long Length { get; }

    /// <summary>What a kernel gets.</summary>
    public View<T> View => new((T*)Address, Length);

    /// <summary>What a kernel gets to read only.</summary>
    public ReadOnlyView<T> ReadOnly => new((T*)Address, Length);

    /// <summary>Address on the device.</summary>
    public nint Address => _address != 0 ? _address : throw new ObjectDisposedException(nameof(DeviceBuffer<T>));

    /// <summary>Copies host values to the start of the block.</summary>
    public void CopyFrom(ReadOnlySpan<T> values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(values.Length, Length);
        _accelerator.CopyToDevice(MemoryMarshal.AsBytes(values), Address);
    }

    /// <summary>Copies the start of the block to the host; waits for the work given before.</summary>
    public void CopyTo(Span<T> values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(values.Length, Length);
        _accelerator.CopyToHost(Address, MemoryMarshal.AsBytes(values));
    }

    /// <summary>Copies all to the host.</summary>
    public T[] ToArray()
    {
        T[] values = new T[Length];
        CopyTo(values);
        return values;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_address != 0)
        {
            _accelerator.Free(_address);
            _address = 0;
        }
    }
}
