using LinearCald.Gpu.Debug;

namespace LinearCald.Gpu;

/// <summary>
/// Elements in device memory that a kernel reads and writes. On the debug device every access is checked against <see cref="Length"/>; compiled
/// kernels do not check. Index arithmetic is assumed not to overflow.
/// </summary>
/// <typeparam name="T">A primitive, or a struct of 2 or 4 equal primitives (<see cref="Float4"/> …), which is read and written by one vector
/// access and must be aligned to its size.</typeparam>
public readonly unsafe struct View<T>
    where T : unmanaged
{
    private readonly T* _address;
    private readonly long _length;

    /// <param name="address">The first element, in device memory.</param>
    /// <param name="length">Number of elements.</param>
    public View(T* address, long length)
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
        [Intrinsic]
        set => *Bounds.Check(_address, index, _length, "write") = value;
    }

    /// <summary>Element <paramref name="index"/>.</summary>
    public T this[uint index]
    {
        [Intrinsic]
        get => *Bounds.Check(_address, index, _length, "read");
        [Intrinsic]
        set => *Bounds.Check(_address, index, _length, "write") = value;
    }

    /// <summary>Element <paramref name="index"/>.</summary>
    public T this[long index]
    {
        [Intrinsic]
        get => *Bounds.Check(_address, index, _length, "read");
        [Intrinsic]
        set => *Bounds.Check(_address, index, _length, "write") = value;
    }

    /// <summary>The elements from <paramref name="offset"/> on.</summary>
    public View<T> From(long offset) => new(_address + offset, _length - offset);

    /// <summary>Some of the elements.</summary>
    public View<T> Slice(long offset, long length) => new(_address + offset, length);

    /// <summary>The same bytes as elements of another type.</summary>
    public View<TOther> As<TOther>()
        where TOther : unmanaged => new((TOther*)_address, _length * sizeof(T) / sizeof(TOther));

    /// <summary>Reads an element that no one will read again soon (<c>ld.global.cs</c>).</summary>
    [Intrinsic]
    public T ReadStreaming(long index) => *Bounds.Check(_address, index, _length, "read");

    /// <summary>Writes an element that no one will read soon (<c>st.global.cs</c>).</summary>
    [Intrinsic]
    public void WriteStreaming(long index, T value) => *Bounds.Check(_address, index, _length, "write") = value;

    /// <summary>Reads what other groups may have written just now (<c>ld.acquire.gpu</c>); 4 or 8 bytes.</summary>
    [Intrinsic]
    public T ReadAcquire(long index) => *Bounds.Check(_address, index, _length, "read");

    /// <summary>Writes for other groups to see after everything written before (<c>st.release.gpu</c>); 4 or 8 bytes.</summary>
    [Intrinsic]
    public void WriteRelease(long index, T value) => *Bounds.Check(_address, index, _length, "write") = value;

    /// <summary>The same elements, for reading.</summary>
    public static implicit operator ReadOnlyView<T>(View<T> view) => new(view._address, view._length);
}
