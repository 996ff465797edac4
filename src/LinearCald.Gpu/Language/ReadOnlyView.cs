using LinearCald.Gpu.Debug;

namespace LinearCald.Gpu;

/// <summary>
/// Elements in device memory that nobody writes while the kernel runs: read through the read-only cache (<c>ld.global.nc</c>), so that the compiler
/// may read once and reuse. See <see cref="View{T}"/>.
/// </summary>
public readonly unsafe struct ReadOnlyView<T>
    where T : unmanaged
{
    private readonly T* _address;
    private readonly long _length;

    /// <param name="address">The first element, in device memory.</param>
    /// <param name="length">Number of elements.</param>
    public ReadOnlyView(T* address, long length)
    {
        _address = address;
        _length = length;
    }

    /// <summary>Number of elements.</summary>
    public long Length => _length;

    /// <summary>The first element.</summary>
    public T* Address => _address;

    /// <summary>Element <paramref name="index"/>.</summary>
    public T this[int index]
    {
        [Intrinsic]
        get => *Bounds.Check(_address, index, _length, "read");
    }

    /// <summary>Element <paramref name="index"/>.</summary>
    public T this[uint index]
    {
        [Intrinsic]
        get => *Bounds.Check(_address, index, _length, "read");
    }

    /// <summary>Element <paramref name="index"/>.</summary>
    public T this[long index]
    {
        [Intrinsic]
        get => *Bounds.Check(_address, index, _length, "read");
    }

    /// <summary>The elements from <paramref name="offset"/> on.</summary>
    public ReadOnlyView<T> From(long offset) => new(_address + offset, _length - offset);

    /// <summary>Some of the elements.</summary>
    public ReadOnlyView<T> Slice(long offset, long length) => new(_address + offset, length);

    /// <summary>The same bytes as elements of another type.</summary>
    public ReadOnlyView<TOther> As<TOther>()
        where TOther : unmanaged => new((TOther*)_address, _length * sizeof(T) / sizeof(TOther));

    /// <summary>Reads an element that is needed once only (<c>ld.global.nc.L1::no_allocate</c>).</summary>
    [Intrinsic]
    public T ReadStreaming(long index) => *Bounds.Check(_address, index, _length, "read");
}
