namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="Gemm"/>: three loops, sums in double.</summary>
internal static unsafe class GemmReference
{
    /// <inheritdoc cref="GemmProblem{T}"/>
    public static void Run<T>(bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, T* b, int ldb, T beta, T* c, int ldc)
        where T : unmanaged
    {
        GemmScalar.CheckType<T>();
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double sum = 0;
                for (int p = 0; p < k; p++)
                {
                    T x = transA ? a[((nint)p * lda) + i] : a[((nint)i * lda) + p];
                    T y = transB ? b[((nint)j * ldb) + p] : b[((nint)p * ldb) + j];
                    sum += GemmScalar.ToDouble(x) * GemmScalar.ToDouble(y);
                }

                T* at = c + ((nint)i * ldc) + j;
                double old = GemmScalar.IsZero(beta) ? 0 : GemmScalar.ToDouble(beta) * GemmScalar.ToDouble(*at);
                *at = GemmScalar.From<T>((GemmScalar.ToDouble(alpha) * sum) + old);
            }
        }
    }
}
