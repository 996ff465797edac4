namespace LinearCald.Tensors.Tests.Cpu;

/// <summary>
/// Native memory for one kernel argument, flush with a page that must not be touched (<see cref="GuardedMemory"/>). Fresh ones are filled with a poison (NaN for
/// floats), which lies around them too: <see cref="Dispose"/> fails the test when a kernel has written there.
/// </summary>
internal sealed unsafe class KernelBuffer<T>(long count) : IDisposable
    where T : unmanaged
{
    private readonly GuardedMemory _memory = new(count * sizeof(T));
    private bool _isFreed;

    public KernelBuffer(ReadOnlySpan<T> values)
        : this(values.Length) => values.CopyTo(Span);

    public long Count => count;

    public T* Pointer => (T*)_memory.Pointer;

    public Span<T> Span => new(Pointer, checked((int)Count));

    public static implicit operator T*(KernelBuffer<T> buffer) => buffer.Pointer;

    public T[] ToArray() => Span.ToArray();

    public void Dispose()
    {
        if (_isFreed)
        {
            return;
        }

        bool clean = _memory.IsClean;
        _memory.Dispose();
        _isFreed = true;
        Assert.True(clean, "a kernel wrote outside its buffer");
    }
}
