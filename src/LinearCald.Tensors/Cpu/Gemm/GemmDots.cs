using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// A few rows of A times a transposed B (one token through a linear layer): every element of C is a dot product of two contiguous rows, so B
/// is read once, as it lies, at the speed of memory; panels would cost more than the product. Lanes are added in a fixed order.
/// </summary>
internal static unsafe class GemmDots<T, TVector, TLanes>
    where T : unmanaged
    where TVector : struct
    where TLanes : struct, IGemmLanes<T, TVector>
{
    /// <summary>The whole product, epilogue excepted.</summary>
    public static void Run(in GemmProblem<T> g)
    {
        T* sums = stackalloc T[4];
        bool overwrite = GemmScalar.IsZero(g.Beta);
        for (int j = 0; j < g.N; j += 4)
        {
            int columns = Math.Min(4, g.N - j);
            T* b = g.AtB(0, j);
            for (int i = 0; i < g.M; i++)
            {
                // Short of four rows of B, the last one stands in for the missing ones.
                Four(g.AtA(i, 0), b, b + (Math.Min(1, columns - 1) * g.LdB), b + (Math.Min(2, columns - 1) * g.LdB), b + ((columns - 1) * g.LdB), g.K, sums);
                T* c = g.AtC(i, j);
                for (int q = 0; q < columns; q++)
                {
                    T scaled = GemmScalar.Multiply(g.Alpha, sums[q]);
                    c[q] = overwrite ? scaled : GemmScalar.Add(scaled, GemmScalar.Multiply(g.Beta, c[q]));
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four(T* a, T* b0, T* b1, T* b2, T* b3, int k, T* sums)
    {
        int w = TLanes.Count;
        TVector x0 = default, x1 = default, x2 = default, x3 = default, y0 = default, y1 = default, y2 = default, y3 = default;
        int p = 0;
        for (; p <= k - (2 * w); p += 2 * w)
        {
            TVector u = TLanes.Load(a + p);
            TVector v = TLanes.Load(a + p + w);
            x0 = TLanes.MultiplyAdd(u, TLanes.Load(b0 + p), x0);
            x1 = TLanes.MultiplyAdd(u, TLanes.Load(b1 + p), x1);
            x2 = TLanes.MultiplyAdd(u, TLanes.Load(b2 + p), x2);
            x3 = TLanes.MultiplyAdd(u, TLanes.Load(b3 + p), x3);
            y0 = TLanes.MultiplyAdd(v, TLanes.Load(b0 + p + w), y0);
            y1 = TLanes.MultiplyAdd(v, TLanes.Load(b1 + p + w), y1);
            y2 = TLanes.MultiplyAdd(v, TLanes.Load(b2 + p + w), y2);
            y3 = TLanes.MultiplyAdd(v, TLanes.Load(b3 + p + w), y3);
        }

        sums[0] = Sum(x0, y0);
        sums[1] = Sum(x1, y1);
        sums[2] = Sum(x2, y2);
        sums[3] = Sum(x3, y3);
        for (; p < k; p++)
        {
            sums[0] = GemmScalar.Add(sums[0], GemmScalar.Multiply(a[p], b0[p]));
            sums[1] = GemmScalar.Add(sums[1], GemmScalar.Multiply(a[p], b1[p]));
            sums[2] = GemmScalar.Add(sums[2], GemmScalar.Multiply(a[p], b2[p]));
            sums[3] = GemmScalar.Add(sums[3], GemmScalar.Multiply(a[p], b3[p]));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Sum(TVector x, TVector y) => TLanes.Sum(TLanes.MultiplyAdd(x, TLanes.Splat(GemmScalar.From<T>(1)), y));
}
