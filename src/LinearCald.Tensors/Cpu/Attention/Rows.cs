namespace LinearCald.Tensors.Cpu;

/// <summary>Evenly spaced rows of a buffer, perhaps a column range of wider rows (the queries of a fused QKV buffer).</summary>
/// <param name="start">First element of row 0.</param>
/// <param name="stride">Elements from the start of a row to the start of the next.</param>
internal readonly unsafe struct Rows<T>(T* start, nint stride)
    where T : unmanaged
{
    /// <summary>First element of row 0.</summary>
    public readonly T* Start = start;

    /// <summary>Elements from the start of a row to the start of the next.</summary>
    public readonly nint Stride = stride;

    /// <summary>First element of a row.</summary>
    public T* this[nint row] => Start + (row * Stride);

    /// <summary>The same spacing from another row and column on.</summary>
    public Rows<T> From(nint row, nint column) => new(Start + (row * Stride) + column, Stride);

    /// <summary>Zero in <paramref name="columns"/> columns of the rows <paramref name="first"/> … <paramref name="end"/> − 1.</summary>
    public void Clear(nint first, nint end, int columns)
    {
        for (nint i = first; i < end; i++)
        {
            new Span<T>(this[i], columns).Clear();
        }
    }
}
