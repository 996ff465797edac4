using System.Runtime.Intrinsics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// What is done to C right after its last product was added, while the tile is still in the first-level cache. A struct, so that the call is
/// compiled into the driver. Each element is seen exactly once, on any thread; <c>alpha</c> and <c>beta</c> have been applied.
/// </summary>
internal unsafe interface IEpilogue<T>
    where T : unmanaged
{
    /// <summary>True if <see cref="Apply"/> does nothing.</summary>
    static abstract bool IsNone { get; }

    /// <param name="c">C[row, column].</param>
    /// <param name="strideC">Elements from one row of C to the next.</param>
    /// <param name="row">First row, counted in the whole C.</param>
    /// <param name="column">First column, counted in the whole C.</param>
    void Apply(T* c, nint strideC, int row, int column, int rows, int columns);
}

/// <summary>The plain product.</summary>
internal readonly unsafe struct NoEpilogue<T> : IEpilogue<T>
    where T : unmanaged
{
    public static bool IsNone => true;

    public void Apply(T* c, nint strideC, int row, int column, int rows, int columns)
    {
    }
}

/// <summary>C[r, j] += bias[j].</summary>
internal readonly unsafe struct BiasEpilogue<T> : IEpilogue<T>
    where T : unmanaged
{
    private readonly T* _bias;

    /// <param name="bias">One element a column of C.</param>
    public BiasEpilogue(T* bias) => _bias = bias;

    public static bool IsNone => false;

    public void Apply(T* c, nint strideC, int row, int column, int rows, int columns)
    {
        T* bias = _bias + column;
        int j = 0;
        if (Lanes512<T>.IsSupported)
        {
            for (; j <= columns - Vector512<T>.Count; j += Vector512<T>.Count)
            {
                Vector512<T> add = Vector512.Load(bias + j);
                T* at = c + j;
                for (int r = 0; r < rows; r++, at += strideC)
                {
                    (Vector512.Load(at) + add).Store(at);
                }
            }
        }

        for (; j <= columns - Vector128<T>.Count; j += Vector128<T>.Count)
        {
            Vector128<T> add = Vector128.Load(bias + j);
            T* at = c + j;
            for (int r = 0; r < rows; r++, at += strideC)
            {
                (Vector128.Load(at) + add).Store(at);
            }
        }

        for (; j < columns; j++)
        {
            T* at = c + j;
            for (int r = 0; r < rows; r++, at += strideC)
            {
                *at = GemmScalar.Add(*at, bias[j]);
            }
        }
    }
}
