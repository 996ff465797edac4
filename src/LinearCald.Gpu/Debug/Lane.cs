namespace LinearCald.Gpu.Debug;

internal enum ShuffleKind
{
    Index,
    Up,
    Down,
    Xor,
}

internal enum MatrixFormat
{
    BFloat16,
    Half,
    TensorFloat32,
}

internal enum AtomicKind
{
    Add,
    Min,
    Max,
    Exchange,
    CompareExchange,
}

/// <summary>The running thread of a kernel on the debug device.</summary>
internal sealed class Lane
{
    [ThreadStatic]
    private static Lane? t_current = null;

    public static Lane Current => t_current ?? throw new CaldException("this member exists only inside a kernel");

    public Index3 GridIndex { get; private set; }

    public Index3 GridSize { get; private set; }

    public Index3 GroupIndex { get; private set; }

    public Index3 GroupSize { get; private set; }

    public int Thread { get; private set; }

    public void Barrier(int id, int threads) => throw new NotSupportedException();

    public void Arrive(int id, int threads) => throw new NotSupportedException();

    public int BarrierCount(bool condition) => throw new NotSupportedException();

    public void Touch() => throw new NotSupportedException();

    public T Shuffle<T>(T value, int lane, ShuffleKind kind)
        where T : unmanaged => throw new NotSupportedException();

    public uint Ballot(bool condition) => throw new NotSupportedException();

    public void WarpBarrier() => throw new NotSupportedException();

    public int Reduce(int value, Func<int, int, int> combine) => throw new NotSupportedException();

    public Shared<T> AllocateShared<T>(int length, int alignment)
        where T : unmanaged => throw new NotSupportedException();

    public T ReadShared<T>(int offset, int index, int length)
        where T : unmanaged => throw new NotSupportedException();

    public void WriteShared<T>(int offset, int index, int length, T value)
        where T : unmanaged => throw new NotSupportedException();

    public void CopyAsync<T>(Shared<T> destination, int destinationIndex, ReadOnlyView<T> source, long sourceIndex, bool condition)
        where T : unmanaged => throw new NotSupportedException();

    public void CommitCopies() => throw new NotSupportedException();

    public void WaitForCopies(int groups) => throw new NotSupportedException();

    public Float4 MatrixProduct(Float4 accumulator, UInt4 a, UInt2 b, MatrixFormat format) => throw new NotSupportedException();

    public UInt4 LoadMatrix<T>(Shared<T> source, int index, bool transposed)
        where T : unmanaged => throw new NotSupportedException();

    public T Atomic<T>(View<T> view, long index, T value, T expected, AtomicKind kind)
        where T : unmanaged => throw new NotSupportedException();

    public T Atomic<T>(Shared<T> shared, int index, T value, T expected, AtomicKind kind)
        where T : unmanaged => throw new NotSupportedException();
}
