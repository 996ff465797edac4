using FsCheck;
using FsCheck.Fluent;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

public sealed unsafe class GemmTests
{
    /// <summary>Sizes at and around the edges of tiles (4, 6, 8, 14; 16, 32), blocks (252) and nothing at all.</summary>
    private static readonly int[] s_edges = [0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 15, 16, 17, 28, 31, 32, 33, 47, 48, 63, 64, 65, 100, 127, 130];

    private static readonly double[] s_scales = [0, 1, -1, 0.5, 2.25];

    private static readonly WorkerPool[] s_pools = [new(1), new(2), new(3)];

    [Fact]
    public void AnyShapeMatchesTheReferenceInSingle() => CheckShapes<float>(300, 1e-6);

    [Fact]
    public void AnyShapeMatchesTheReferenceInDouble() => CheckShapes<double>(200, 1e-14);

    [Theory]
    [InlineData(253, 200, 130)] // several blocks of rows
    [InlineData(40, 1100, 97)] // several blocks of columns
    [InlineData(70, 66, 2100)] // chunks of k
    [InlineData(380, 380, 1300)] // blocks of k
    [InlineData(3, 700, 1200)]
    public void LargeShapesMatchTheReferenceAndDoNotDependOnThreads(int m, int n, int k)
    {
        for (int trans = 0; trans < 4; trans++)
        {
            Check<float>((trans & 1) != 0, (trans & 2) != 0, m, n, k, 3, 1, trans == 1 ? 0.5 : 0, 7, 2e-6);
        }

        Check<double>(false, true, m, n, k, 0, -1, 1, 8, 1e-14);
    }

    /// <summary>A result of more than 8 MiB has more rows of A at a time, here two blocks of k.</summary>
    [Fact]
    public void AResultThatLeavesTheCachesMatchesTheReference() => Check<float>(false, true, 1501, 1411, 1037, 1, 1, 0.5, 7, 2e-6);

    /// <summary>Whole tiles are written past the caches where rows of C are aligned, nothing is added to and k is one block.</summary>
    [Theory]
    [InlineData(1471, 1440, 7, 0, 0)]
    [InlineData(1471, 1445, 3, 1, 0)] // rows are not aligned
    [InlineData(1471, 1456, 3, 16, 0)] // aligned rows with a margin, a panel of half the width
    [InlineData(1471, 1440, 3, 0, 0.5)] // adds
    public void ALargeResultIsWrittenWholeInEveryWay(int m, int n, int k, int pad, double beta) => CheckLarge(m, n, k, pad, beta);

    [Fact]
    public void ALargeResultMayBeginAnywhere()
    {
        using GemmCase<float> g = new(false, false, 1471, 1440, 5, 0, 1, 0, 7);
        g.Run(s_pools[0], g.C);
        float* c = g.CopyC();
        Gemm.Run(s_pools[1], false, false, g.M, g.N - 1, g.K, 1f, g.A, g.LdA, g.B + 1, g.LdB, 0f, c + 1, g.LdC, default(NoEpilogue<float>));
        for (int i = 0; i < g.M; i++)
        {
            c[i * g.LdC] = g.C[i * g.LdC];
        }

        Assert.True(g.SameBits(c, g.C));
    }

    /// <summary>Rows of A that lie whole pages apart are copied into panels, others are used as they lie: the same sums.</summary>
    [Theory]
    [InlineData(130, 100, 1021)]
    [InlineData(9, 70, 2048)]
    public void TheDistanceOfRowsDoesNotChangeTheBits(int m, int n, int k)
    {
        const int apart = 2048;
        using GemmCase<float> g = new(false, false, m, n, k, 0, 1, 0, 7);
        g.Run(s_pools[1], g.C);
        float* whole = g.CopyC();
        float[] spread = new float[m * apart];
        for (int i = 0; i < m; i++)
        {
            new ReadOnlySpan<float>(g.A + (i * g.LdA), k).CopyTo(spread.AsSpan(i * apart));
        }

        fixed (float* a = spread)
        {
            Gemm.Run(s_pools[1], false, false, m, n, k, 1f, a, apart, g.B, g.LdB, 0f, g.C, g.LdC, default(NoEpilogue<float>));
        }

        Assert.True(g.SameBits(whole, g.C));
    }

    /// <summary>With three threads the last block of rows has two: few enough for dot products, had the whole product been so small.</summary>
    [Fact]
    public void AFewLastRowsAreSummedLikeTheOthers() => Check<float>(false, true, 1010, 40, 2048, 0, 1, 0, 7, 2e-6);

    [Fact]
    public void BatchesMatchTheReferenceAndDoNotDependOnThreads() => Prop.ForAll(
        Shapes().ToArbitrary(),
        s =>
        {
            using GemmCase<float> g = new(s.TransA, s.TransB, s.M, s.N, s.K, s.Pad, s.Alpha, s.Beta, s.Seed, batch: 1 + (s.Seed % 7));
            g.Reference();
            float* first = g.CopyC();
            g.RunBatched(s_pools[0], first);
            float* third = g.CopyC();
            g.RunBatched(s_pools[2], third);
            return g.Error(first) < 2e-6 && g.SameBits(first, third);
        }).Holds(150);

    [Fact]
    public void ABatchOfLargeProductsIsCutIntoRows()
    {
        using GemmCase<float> g = new(false, true, 300, 150, 100, 1, 1, 0, 3, batch: 3);
        g.Reference();
        g.RunBatched(s_pools[1], g.C);
        Assert.True(g.Error(g.C) < 2e-6);
    }

    [Fact]
    public void BiasIsAddedOnceToEachColumn() => Prop.ForAll(
        Shapes().ToArbitrary(),
        s =>
        {
            using GemmCase<float> g = new(s.TransA, s.TransB, s.M, s.N, s.K, s.Pad, s.Alpha, s.Beta, s.Seed);
            float* bits = g.CopyC();
            g.Run(s_pools[0], bits);
            Gemm.Run(s_pools[1], s.TransA, s.TransB, s.M, s.N, s.K, g.Alpha, g.A, g.LdA, g.B, g.LdB, g.Beta, g.C, g.LdC, new BiasEpilogue<float>(g.Bias));
            for (int i = 0; i < s.M; i++)
            {
                for (int j = 0; j < s.N; j++)
                {
                    bits[((nint)i * g.LdC) + j] += g.Bias[j];
                }
            }

            return g.SameBits(bits, g.C);
        }).Holds(150);

    [Theory]
    [InlineData(64, 96, 2048)]
    [InlineData(500, 260, 300)]
    public void BiasIsAddedOnceInBlocksAndChunks(int m, int n, int k)
    {
        using GemmCase<float> g = new(true, false, m, n, k, 0, 1, 0, 5);
        float* bits = g.CopyC();
        g.Run(s_pools[2], bits);
        Gemm.Run(s_pools[2], true, false, m, n, k, 1f, g.A, g.LdA, g.B, g.LdB, 0f, g.C, g.LdC, new BiasEpilogue<float>(g.Bias));
        for (int i = 0; i < m * n; i++)
        {
            bits[i] += g.Bias[i % n];
        }

        Assert.True(g.SameBits(bits, g.C));
    }

    [Fact]
    public void AWarmProductAllocatesNothing()
    {
        using GemmCase<float> g = new(false, true, 300, 200, 500, 0, 1, 0, 5);
        g.Run(s_pools[0], g.C);
        Gemm.RunSerial(false, true, g.M, g.N, g.K, 1f, g.A, g.LdA, g.B, g.LdB, 0f, g.C, g.LdC);
        long before = GC.GetAllocatedBytesForCurrentThread();
        g.Run(s_pools[0], g.C);
        Gemm.RunSerial(false, true, g.M, g.N, g.K, 1f, g.A, g.LdA, g.B, g.LdB, 0f, g.C, g.LdC);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void OtherElementTypesAreRefused()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => Gemm.Run(false, false, 1, 1, 1, 1, (int*)null, 1, null, 1, 0, null, 1));
        Assert.Contains("Int32", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SimdLevel.Vector512NotPreferred)]
    [InlineData(SimdLevel.Vector256)]
    [InlineData(SimdLevel.Vector128)]
    [InlineData(SimdLevel.Scalar)]
    public void NarrowerVectorsMatchTheReferenceToo(SimdLevel level) => FeatureTestRunner.Run(CheckEveryPath, level);

    private static void CheckEveryPath()
    {
        CheckShapes<float>(60, 1e-6);
        CheckShapes<double>(60, 1e-14);
        Check<float>(false, true, 260, 70, 530, 1, 1, 0.5, 7, 2e-6);
        Check<float>(true, false, 70, 66, 2100, 1, 1, 0, 7, 2e-6);
        CheckLarge(1471, 1440, 3, 0, 0);
    }

    private static void CheckLarge(int m, int n, int k, int pad, double beta)
    {
        Check<float>(false, false, m, n, k, pad, 1, beta, 7, 2e-6);
        Check<double>(true, true, m, n, k, pad, -0.5, beta, 8, 1e-14);
    }

    private static void CheckShapes<T>(int count, double budget)
        where T : unmanaged
        => Prop.ForAll(
            Shapes().ToArbitrary(),
            s => Check<T>(s.TransA, s.TransB, s.M, s.N, s.K, s.Pad, s.Alpha, s.Beta, s.Seed, budget)).Holds(count);

    private static void Check<T>(bool transA, bool transB, int m, int n, int k, int pad, double alpha, double beta, int seed, double budget)
        where T : unmanaged
    {
        using GemmCase<T> g = new(transA, transB, m, n, k, pad, alpha, beta, seed);
        g.Reference();
        T* first = null;
        foreach (WorkerPool pool in s_pools)
        {
            T* c = g.CopyC();
            g.Run(pool, c);
            Assert.True(g.Error(c) <= budget, $"{m}×{n}×{k} transA {transA} transB {transB}, {pool.Threads} threads: error {g.Error(c):g3}, budget {budget:g3}");
            Assert.True(first == null || g.SameBits(first, c), $"{m}×{n}×{k}: {pool.Threads} threads give other bits than one");
            first = c;
        }
    }

    private static Gen<Shape> Shapes() =>
        from transA in Gen.Elements(false, true)
        from transB in Gen.Elements(false, true)
        from m in Gen.Elements(s_edges)
        from n in Gen.Elements(s_edges)
        from k in Gen.Elements(s_edges)
        from pad in Gen.Choose(0, 5)
        from alpha in Gen.Elements(s_scales)
        from beta in Gen.Elements(s_scales)
        from seed in Gen.Choose(0, 1000)
        select new Shape(transA, transB, m, n, k, pad, alpha, beta, seed);

    private sealed record Shape(bool TransA, bool TransB, int M, int N, int K, int Pad, double Alpha, double Beta, int Seed);
}
