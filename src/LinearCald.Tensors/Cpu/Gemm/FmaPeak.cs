using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// The machine's ceiling for matrix products: fused multiply-adds on registers alone, with more independent chains than any core has units ×
/// latency. Every vector width that the machine has is tried and the fastest is the answer, so that a core that runs wide vectors in two
/// halves, or at a lower clock, is not undersold.
/// </summary>
internal static class FmaPeak
{
    private const int Chains = 12;
    private const int Steps = 200_000;
    private const int Repeats = 12;

    /// <summary>Float operations a second, in 10⁹ (two for each multiply-add), with <paramref name="threads"/> threads at once; the best of several short runs.</summary>
    public static double Measure(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        using WorkerPool pool = new(threads);
        double best = 0;
        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            best = Math.Max(best, Now(pool));
        }

        return best;
    }

    /// <summary>The same in one run of each width on the threads of <paramref name="pool"/>, about a millisecond: what the processor gives at this moment, which others that share it change.</summary>
    public static double Now(WorkerPool pool)
    {
        double best = 0;
        if (Lanes512<float>.IsSupported)
        {
            best = Math.Max(best, Time<Vector512<float>, Lanes512<float>>(pool));
        }

        if (Lanes256<float>.IsSupported)
        {
            best = Math.Max(best, Time<Vector256<float>, Lanes256<float>>(pool));
        }

        if (!Lanes256<float>.IsSupported)
        {
            best = Math.Max(best, Time<Vector128<float>, Lanes128<float>>(pool));
        }

        return best;
    }

    private static double Time<TVector, TLanes>(WorkerPool pool)
        where TVector : struct
        where TLanes : struct, IGemmLanes<float, TVector>
    {
        long start = Stopwatch.GetTimestamp();
        pool.For(pool.Threads, default(Body<TVector, TLanes>));
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return 2.0 * pool.Threads * Chains * TLanes.Count * Steps / seconds / 1e9;
    }

    private readonly struct Body<TVector, TLanes> : IParallelBody
        where TVector : struct
        where TLanes : struct, IGemmLanes<float, TVector>
    {
        public void Execute(int index) => Loop<TVector, TLanes>(Steps, 0.5f, index);
    }

    /// <summary>x ← x·a + b stays finite for a = ½; the sum is returned so that nothing is dropped.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static TVector Loop<TVector, TLanes>(int steps, float factor, float addend)
        where TVector : struct
        where TLanes : struct, IGemmLanes<float, TVector>
    {
        TVector a = TLanes.Splat(factor);
        TVector b = TLanes.Splat(addend);
        TVector x0 = TLanes.Splat(0f);
        TVector x1 = TLanes.Splat(1f);
        TVector x2 = TLanes.Splat(2f);
        TVector x3 = TLanes.Splat(3f);
        TVector x4 = TLanes.Splat(4f);
        TVector x5 = TLanes.Splat(5f);
        TVector x6 = TLanes.Splat(6f);
        TVector x7 = TLanes.Splat(7f);
        TVector x8 = TLanes.Splat(8f);
        TVector x9 = TLanes.Splat(9f);
        TVector x10 = TLanes.Splat(10f);
        TVector x11 = TLanes.Splat(11f);
        for (; steps > 0; steps--)
        {
            x0 = TLanes.MultiplyAdd(x0, a, b);
            x1 = TLanes.MultiplyAdd(x1, a, b);
            x2 = TLanes.MultiplyAdd(x2, a, b);
            x3 = TLanes.MultiplyAdd(x3, a, b);
            x4 = TLanes.MultiplyAdd(x4, a, b);
            x5 = TLanes.MultiplyAdd(x5, a, b);
            x6 = TLanes.MultiplyAdd(x6, a, b);
            x7 = TLanes.MultiplyAdd(x7, a, b);
            x8 = TLanes.MultiplyAdd(x8, a, b);
            x9 = TLanes.MultiplyAdd(x9, a, b);
            x10 = TLanes.MultiplyAdd(x10, a, b);
            x11 = TLanes.MultiplyAdd(x11, a, b);
        }

        x0 = TLanes.MultiplyAdd(x1, a, x0);
        x0 = TLanes.MultiplyAdd(x2, a, x0);
        x0 = TLanes.MultiplyAdd(x3, a, x0);
        x0 = TLanes.MultiplyAdd(x4, a, x0);
        x0 = TLanes.MultiplyAdd(x5, a, x0);
        x0 = TLanes.MultiplyAdd(x6, a, x0);
        x0 = TLanes.MultiplyAdd(x7, a, x0);
        x0 = TLanes.MultiplyAdd(x8, a, x0);
        x0 = TLanes.MultiplyAdd(x9, a, x0);
        x0 = TLanes.MultiplyAdd(x10, a, x0);
        x0 = TLanes.MultiplyAdd(x11, a, x0);
        return x0;
    }
}
