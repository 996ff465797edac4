using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

/// <summary>One random product: operands with guard columns (ld larger than the width) filled with NaN, compared with the reference.</summary>
internal sealed unsafe class GemmCase<T> : IDisposable
    where T : unmanaged
{
    private readonly List<KernelBuffer<T>> _buffers = [];
    private readonly Random _random;

    public GemmCase(bool transA, bool transB, int m, int n, int k, int pad, double alpha, double beta, int seed, int batch = 1)
    {
        _random = new Random(seed);
        (TransA, TransB, M, N, K, Batch) = (transA, transB, m, n, k, batch);
        (Alpha, Beta) = (GemmScalar.From<T>(alpha), GemmScalar.From<T>(beta));
        LdA = (transA ? m : k) + pad;
        LdB = (transB ? k : n) + (2 * pad);
        LdC = n + (3 * pad);
        RowsA = transA ? k : m;
        RowsB = transB ? n : k;
        A = Fill(batch * RowsA, transA ? m : k, LdA);
        B = Fill(batch * RowsB, transB ? k : n, LdB);
        C = Fill(batch * M, N, LdC, beta == 0);
        Bias = Fill(1, N, N);
        Expected = Copy(C, (long)batch * M * LdC);
    }

    public bool TransA { get; }

    public bool TransB { get; }

    public int M { get; }

    public int N { get; }

    public int K { get; }

    public int Batch { get; }

    public int RowsA { get; }

    public int RowsB { get; }

    public T Alpha { get; }

    public T Beta { get; }

    public int LdA { get; }

    public int LdB { get; }

    public int LdC { get; }

    public T* A { get; }

    public T* B { get; }

    public T* C { get; }

    public T* Bias { get; }

    public T* Expected { get; }

    public void Reference()
    {
        for (int i = 0; i < Batch; i++)
        {
            GemmReference.Run(TransA, TransB, M, N, K, Alpha, A + ((nint)i * RowsA * LdA), LdA, B + ((nint)i * RowsB * LdB), LdB, Beta, Expected + ((nint)i * M * LdC), LdC);
        }
    }

    public void Run(WorkerPool pool, T* c) => Gemm.Run(pool, TransA, TransB, M, N, K, Alpha, A, LdA, B, LdB, Beta, c, LdC, default(NoEpilogue<T>));

    public void RunBatched(WorkerPool pool, T* c) => Gemm.RunBatched(
        pool, Batch, TransA, TransB, M, N, K, Alpha, A, LdA, (long)RowsA * LdA, B, LdB, (long)RowsB * LdB, Beta, c, LdC, (long)M * LdC);

    /// <summary>A fresh copy of C as it was before the product.</summary>
    public T* CopyC() => Copy(C, (long)Batch * M * LdC);

    /// <summary>‖c − expected‖ / ‖expected‖ over the elements of C; the guard columns must still be NaN.</summary>
    public double Error(T* c)
    {
        double difference = 0, norm = 0;
        for (int i = 0; i < Batch * M; i++)
        {
            for (int j = 0; j < LdC; j++)
            {
                double x = GemmScalar.ToDouble(c[((nint)i * LdC) + j]);
                if (j >= N)
                {
                    Assert.True(double.IsNaN(x), $"wrote beyond column {N}: row {i}, column {j}");
                    continue;
                }

                double e = GemmScalar.ToDouble(Expected[((nint)i * LdC) + j]);
                difference += (x - e) * (x - e);
                norm += e * e;
            }
        }

        // Where products of N(0, 1)-like operands cancel by chance, the error is measured against a tenth of what they usually add up to.
        return Math.Sqrt(difference) / Math.Max(Math.Sqrt(norm), 1e-3 + (0.1 * Math.Sqrt((double)Batch * M * N * K)));
    }

    public bool SameBits(T* x, T* y)
    {
        long bytes = (long)Batch * M * LdC * sizeof(T);
        return new ReadOnlySpan<byte>(x, (int)bytes).SequenceEqual(new ReadOnlySpan<byte>(y, (int)bytes));
    }

    public void Dispose() => _buffers.ForEach(buffer => buffer.Dispose());

    private T* Fill(int rows, int columns, int stride, bool isPoisoned = false)
    {
        T* p = Allocate((long)rows * stride);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < stride; j++)
            {
                bool isNan = isPoisoned || j >= columns;
                p[((nint)i * stride) + j] = GemmScalar.From<T>(isNan ? double.NaN : (_random.NextDouble() * 2) - 1);
            }
        }

        return p;
    }

    private T* Copy(T* from, long count)
    {
        T* p = Allocate(count);
        new ReadOnlySpan<T>(from, (int)count).CopyTo(new Span<T>(p, (int)count));
        return p;
    }

    private T* Allocate(long count)
    {
        KernelBuffer<T> buffer = new(count);
        _buffers.Add(buffer);
        return buffer;
    }
}
