using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class AdamWTests
{
    [Fact]
    public void Updates_agree_with_the_reference()
    {
        ForAllLengths<float>(1e-6);
        ForAllLengths<double>(1e-13);
    }

    [Fact]
    public void Sums_of_squares_agree_with_the_reference()
    {
        KernelShapes.ForAllLengths((length, seed) =>
        {
            using KernelBuffer<float> x = new(KernelData.Normal<float>(length, seed));
            using KernelBuffer<double> y = new(KernelData.Normal<double>(length, seed));
            double single = AdamWReference.SumOfSquares<float>(x, length), wide = AdamWReference.SumOfSquares<double>(y, length);
            Assert.Equal(single, AdamWKernel.SumOfSquares<float>(x, length), single * 1e-6);
            Assert.Equal(wide, AdamWKernel.SumOfSquares<double>(y, length), wide * 1e-12);
        });
    }

    [Fact]
    public void Same_bits_on_any_thread_count()
    {
        const int Count = 200_003;
        AdamWStep step = new(1e-3, 0.9, 0.999, 1e-8, 0.01, 0.25, 3);
        KernelData.SameBitsOnAnyThreadCount(() =>
        {
            using KernelBuffer<float> p = new(KernelData.Normal<float>(Count, 1)), g = new(KernelData.Normal<float>(Count, 2));
            using KernelBuffer<float> m = new(KernelData.Normal<float>(Count, 3)), v = new(new float[Count]);
            AdamWKernel.Update<float>(p, g, m, v, Count, step);
            double sum = AdamWKernel.SumOfSquares<float>(g, Count);
            return (byte[])[.. BitConverter.GetBytes(sum), .. System.Runtime.InteropServices.MemoryMarshal.AsBytes(p.Span)];
        });
    }

    [Fact]
    public void A_gradient_of_nothing_moves_by_decay_alone()
    {
        using KernelBuffer<float> p = new([2, -4]), g = new([0, 0]), m = new([0, 0]), v = new([0, 0]);
        AdamWKernel.Update<float>(p, g, m, v, 2, new(0.1, 0.9, 0.999, 1e-8, 0.5, 1, 1));
        Assert.Equal([1.9f, -3.8f], p.ToArray());
    }

    [Fact]
    public void A_tiny_loss_scale_does_not_lose_the_second_moment()
    {
        using KernelBuffer<float> p = new([0]), g = new([1e20f]), m = new([0]), v = new([0]);
        AdamWKernel.Update<float>(p, g, m, v, 1, new(0.1, 0.9, 0.999, 1e-8, 0, 1e-22, 1));
        KernelData.Close<float>(v.Span, [1e-7], 1e-5);
        KernelData.Close<float>(p.Span, [-0.1], 1e-5);
    }

    [Fact]
    public void Golden_steps_with_clipping()
    {
        GoldenOps golden = GoldenOps.Load("adamw-clip");
        using KernelBuffer<float> p = new(golden.Float("p0")), pm = new(new float[40]), pv = new(new float[40]);
        using KernelBuffer<float> q = new(golden.Float("q0")), qm = new(new float[15]), qv = new(new float[15]);
        for (int t = 0; t < 8; t++)
        {
            using KernelBuffer<float> gp = new(golden.Float($"gp.{t}")), gq = new(golden.Float($"gq.{t}"));
            double norm = Math.Sqrt(AdamWKernel.SumOfSquares<float>(gp, 40) + AdamWKernel.SumOfSquares<float>(gq, 15));
            KernelData.Close<double>([norm], golden.Double($"norm.{t}"), 1e-6);
            double clip = Math.Min(1, 1 / (norm + 1e-6));
            AdamWKernel.Update<float>(p, gp, pm, pv, 40, new(3e-2, 0.9, 0.98, 1e-8, 0.1, clip, t + 1));
            AdamWKernel.Update<float>(q, gq, qm, qv, 15, new(3e-2, 0.9, 0.98, 1e-8, 0, clip, t + 1));
            KernelData.Close<float>(p.Span, golden.Double($"p.{t}"), 1e-6);
            KernelData.Close<float>(q.Span, golden.Double($"q.{t}"), 1e-6);
        }
    }

    private static void ForAllLengths<T>(double budget)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T> =>
        KernelShapes.ForAllLengths((length, seed) =>
        {
            using AdamWCase<T> fast = new(length, seed), plain = new(length, seed);
            for (int t = 1; t <= 3; t++)
            {
                AdamWStep step = new(0.05, 0.9, 0.99, 1e-6, 0.1 * (seed % 2), 0.5, t + (seed % 5));
                AdamWKernel.Update<T>(fast.P, fast.G, fast.M, fast.V, length, step);
                AdamWReference.Update<T>(plain.P, plain.G, plain.M, plain.V, length, step);
            }

            KernelData.Close<T>(fast.P.Span, KernelData.ToDouble(plain.P.ToArray()), budget, "p");
            KernelData.Close<T>(fast.M.Span, KernelData.ToDouble(plain.M.ToArray()), budget, "m");
            KernelData.Close<T>(fast.V.Span, KernelData.ToDouble(plain.V.ToArray()), budget, "v");
        });

    /// <summary>A parameter, its gradient and both moments.</summary>
    private sealed class AdamWCase<T>(int length, int seed) : IDisposable
        where T : unmanaged, System.Numerics.INumberBase<T>
    {
        public KernelBuffer<T> P { get; } = new(KernelData.Normal<T>(length, seed));

        public KernelBuffer<T> G { get; } = new(KernelData.Normal<T>(length, seed + 1));

        public KernelBuffer<T> M { get; } = new(KernelData.Normal<T>(length, seed + 2, 0.1));

        public KernelBuffer<T> V { get; } = new(Array.ConvertAll(KernelData.Normal<T>(length, seed + 3), x => x * x));

        public void Dispose()
        {
            P.Dispose();
            G.Dispose();
            M.Dispose();
            V.Dispose();
        }
    }
}
