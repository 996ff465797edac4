namespace LinearCald.Tensors.Cpu;

/// <summary>
/// C[M×N] = Alpha · op(A)[M×K] · op(B)[K×N] + Beta · C, row-major. op(A) is A as it lies (M rows of LdA), or with <see cref="TransA"/> its
/// transpose (A lies as K rows of LdA); likewise B (K rows, or with <see cref="TransB"/> N rows, of LdB).
/// </summary>
internal unsafe struct GemmProblem<T>
    where T : unmanaged
{
    public bool TransA;
    public bool TransB;
    public int M;
    public int N;
    public int K;
    public T Alpha;
    public T* A;
    public nint LdA;
    public T* B;
    public nint LdB;
    public T Beta;
    public T* C;
    public nint LdC;

    /// <summary>Computed by <see cref="GemmDots{T, TVector, TLanes}"/>. Set from the whole product, since its blocks must all be summed alike.</summary>
    public bool IsDots;

    /// <summary>C does not stay in the caches. Set from the whole product, since its blocks must all be summed alike.</summary>
    public bool IsLarge;

    /// <summary>op(A)[row, p].</summary>
    public readonly T* AtA(int row, int p) => A + (TransA ? (p * LdA) + row : (row * LdA) + p);

    /// <summary>op(B)[p, column].</summary>
    public readonly T* AtB(int p, int column) => B + (TransB ? (column * LdB) + p : (p * LdB) + column);

    /// <summary>C[row, column].</summary>
    public readonly T* AtC(int row, int column) => C + (row * LdC) + column;

    /// <summary>The same product for a block of C.</summary>
    public readonly GemmProblem<T> Block(int row, int rows, int column, int columns)
    {
        GemmProblem<T> block = this;
        block.M = rows;
        block.N = columns;
        block.A = AtA(row, 0);
        block.B = AtB(0, column);
        block.C = AtC(row, column);
        return block;
    }
}
