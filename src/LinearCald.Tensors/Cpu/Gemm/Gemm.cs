using System.Runtime.Intrinsics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Matrix products on the CPU, float or double: C = alpha · op(A) · op(B) + beta · C, all row-major with leading dimensions, op a transposition or
/// nothing. m, n and k may be 0 (k = 0 leaves beta · C); with beta = 0 C is never read, so it may hold NaN. Rows of A and
/// of B may overlap (a leading dimension below their length), as the patches of a convolution do. Widest vectors that the machine
/// has; the same bits for any number of threads. The plain twin is <see cref="GemmReference"/>.
/// </summary>
internal static unsafe class Gemm
{
    /// <summary>On all threads of <see cref="WorkerPool.Shared"/>.</summary>
    /// <param name="transA">false: A is m×k with rows of <paramref name="lda"/>; true: A is k×m and used transposed.</param>
    /// <param name="transB">false: B is k×n with rows of <paramref name="ldb"/>; true: B is n×k and used transposed.</param>
    public static void Run<T>(bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, T* b, int ldb, T beta, T* c, int ldc)
        where T : unmanaged
        => Run(WorkerPool.Shared, transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, default(NoEpilogue<T>));

    /// <summary>On all threads, finishing each tile of C with <paramref name="epilogue"/> while it is in the cache.</summary>
    public static void Run<T, TEpilogue>(
        bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, T* b, int ldb, T beta, T* c, int ldc, in TEpilogue epilogue)
        where T : unmanaged
        where TEpilogue : struct, IEpilogue<T>
        => Run(WorkerPool.Shared, transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, in epilogue);

    /// <summary>On the threads of <paramref name="pool"/>.</summary>
    public static void Run<T, TEpilogue>(
        WorkerPool pool, bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, T* b, int ldb, T beta, T* c, int ldc, in TEpilogue epilogue)
        where T : unmanaged
        where TEpilogue : struct, IEpilogue<T>
    {
        GemmProblem<T> g = Problem(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        if (Lanes512<T>.IsSupported)
        {
            GemmParallel<T, Vector512<T>, Lanes512<T>, TEpilogue>.Run(pool, in g, in epilogue);
        }
        else if (Lanes256<T>.IsSupported)
        {
            GemmParallel<T, Vector256<T>, Lanes256<T>, TEpilogue>.Run(pool, in g, in epilogue);
        }
        else if (Lanes128<T>.IsSupported)
        {
            GemmParallel<T, Vector128<T>, Lanes128<T>, TEpilogue>.Run(pool, in g, in epilogue);
        }
        else
        {
            GemmParallel<T, T, LanesScalar<T>, TEpilogue>.Run(pool, in g, in epilogue);
        }
    }

    /// <summary>On the caller's thread alone: for products inside parallel bodies (one attention head, one sample).</summary>
    public static void RunSerial<T>(bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, T* b, int ldb, T beta, T* c, int ldc)
        where T : unmanaged
        => RunSerial(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, default(NoEpilogue<T>));

    /// <summary>On the caller's thread alone, with an epilogue.</summary>
    public static void RunSerial<T, TEpilogue>(
        bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, T* b, int ldb, T beta, T* c, int ldc, in TEpilogue epilogue)
        where T : unmanaged
        where TEpilogue : struct, IEpilogue<T>
    {
        GemmProblem<T> g = Problem(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        if (Lanes512<T>.IsSupported)
        {
            GemmSerial<T, Vector512<T>, Lanes512<T>, TEpilogue>.Run(in g, null, 0, 0, in epilogue, 0, 0);
        }
        else if (Lanes256<T>.IsSupported)
        {
            GemmSerial<T, Vector256<T>, Lanes256<T>, TEpilogue>.Run(in g, null, 0, 0, in epilogue, 0, 0);
        }
        else if (Lanes128<T>.IsSupported)
        {
            GemmSerial<T, Vector128<T>, Lanes128<T>, TEpilogue>.Run(in g, null, 0, 0, in epilogue, 0, 0);
        }
        else
        {
            GemmSerial<T, T, LanesScalar<T>, TEpilogue>.Run(in g, null, 0, 0, in epilogue, 0, 0);
        }
    }

    /// <summary><paramref name="batch"/> products of one shape in parallel; operand i lies i · stride elements after the first. A stride of 0 shares A or B.</summary>
    public static void RunBatched<T>(
        int batch, bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, long strideA, T* b, int ldb, long strideB, T beta, T* c, int ldc, long strideC)
        where T : unmanaged
        => RunBatched(WorkerPool.Shared, batch, transA, transB, m, n, k, alpha, a, lda, strideA, b, ldb, strideB, beta, c, ldc, strideC);

    /// <summary>Batched, on the threads of <paramref name="pool"/>.</summary>
    public static void RunBatched<T>(
        WorkerPool pool, int batch, bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, long strideA, T* b, int ldb, long strideB, T beta, T* c, int ldc, long strideC)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(batch);
        GemmProblem<T> g = Problem(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        if (Lanes512<T>.IsSupported)
        {
            GemmParallel<T, Vector512<T>, Lanes512<T>, NoEpilogue<T>>.RunBatched(pool, batch, in g, strideA, strideB, strideC);
        }
        else if (Lanes256<T>.IsSupported)
        {
            GemmParallel<T, Vector256<T>, Lanes256<T>, NoEpilogue<T>>.RunBatched(pool, batch, in g, strideA, strideB, strideC);
        }
        else if (Lanes128<T>.IsSupported)
        {
            GemmParallel<T, Vector128<T>, Lanes128<T>, NoEpilogue<T>>.RunBatched(pool, batch, in g, strideA, strideB, strideC);
        }
        else
        {
            GemmParallel<T, T, LanesScalar<T>, NoEpilogue<T>>.RunBatched(pool, batch, in g, strideA, strideB, strideC);
        }
    }

    private static GemmProblem<T> Problem<T>(
        bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, T* b, int ldb, T beta, T* c, int ldc)
        where T : unmanaged
    {
        GemmScalar.CheckType<T>();
        ArgumentOutOfRangeException.ThrowIfNegative(m);
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        ArgumentOutOfRangeException.ThrowIfNegative(k);
        ArgumentOutOfRangeException.ThrowIfNegative(lda);
        ArgumentOutOfRangeException.ThrowIfNegative(ldb);
        ArgumentOutOfRangeException.ThrowIfLessThan(ldc, n);
        return new GemmProblem<T>
        {
            TransA = transA,
            TransB = transB,
            M = m,
            N = n,
            K = k,
            Alpha = alpha,
            A = a,
            LdA = lda,
            B = b,
            LdB = ldb,
            Beta = beta,
            C = c,
            LdC = ldc,
            IsDots = GemmBlocking.IsDots(transA, transB, m),
            IsLarge = GemmBlocking.IsLarge((long)m * n * sizeof(T)),
        };
    }
}
