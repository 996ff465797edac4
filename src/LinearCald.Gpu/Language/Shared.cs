using LinearCald.Gpu.Debug;

namespace LinearCald.Gpu;

/// <summary>Allocation of shared memory.</summary>
public static class Shared
{
    /// <summary>
    /// Memory shared by the threads of the group, not cleared. Every call is a buffer of its own, so call it outside run-time loops and on all
    /// threads alike. What a kernel allocates in all may pass 48 KiB: the launcher opts in up to the device's limit.
    /// </summary>
    /// <param name="length">Number of elements; known to the compiler.</param>
    /// <param name="alignment">In bytes, a power of two; known to the compiler. TMA tiles with a 128-byte swizzle need 1024.</param>
    [Intrinsic]
    public static Shared<T> Allocate<T>(int length, int alignment = 16)
        where T : unmanaged => Lane.Current.AllocateShared<T>(length, alignment);
}

/// <summary>
/// Elements in the group's shared memory. On the debug device reads before writes, accesses out of bounds, and accesses of two threads with no
/// barrier between them of which one writes are errors.
/// </summary>
/// <typeparam name="T">A primitive, or a struct of 2 or 4 equal primitives, read and written by one vector access.</typeparam>
public readonly unsafe struct Shared<T>
    where T : unmanaged
{
    private readonly int _offset;
    private readonly int _length;

    /// <param name="offset">The first byte, as a 32-bit address within shared memory.</param>
    /// <param name="length">Number of elements.</param>
    internal Shared(int offset, int length)
    {
        _offset = offset;
        _length = length;
    }

    /// <summary>Number of elements.</summary>
    public int Length => _length;

    /// <summary>The first element's address within shared memory, in bytes.</summary>
    public int Offset => _offset;

    /// <summary>Element <paramref name="index"/>.</summary>
    public T this[int index]
    {
        [Intrinsic]
        get => Lane.Current.ReadShared<T>(_offset, index, _length);
        [Intrinsic]
        set => Lane.Current.WriteShared(_offset, index, _length, value);
    }

    /// <summary>The elements from <paramref name="offset"/> on.</summary>
    public Shared<T> From(int offset) => new(_offset + (offset * sizeof(T)), _length - offset);

    /// <summary>Some of the elements.</summary>
    public Shared<T> Slice(int offset, int length) => new(_offset + (offset * sizeof(T)), length);

    /// <summary>The same bytes as elements of another type.</summary>
    public Shared<TOther> As<TOther>()
        where TOther : unmanaged => new(_offset, _length * sizeof(T) / sizeof(TOther));
}
