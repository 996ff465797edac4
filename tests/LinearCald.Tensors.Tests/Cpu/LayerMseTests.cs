using FsCheck.Fluent;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class LayerMseTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Forward_and_gradient_agree_with_the_reference(bool normalise)
    {
        ForAllShapes<float>(normalise, 2e-6);
        ForAllShapes<double>(normalise, 1e-13);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Gradient_is_the_central_difference_in_float64(bool normalise)
    {
        const int B = 2, L = 3, D = 21;
        const double Step = 1e-5;
        using KernelBuffer<double> s = new(KernelData.Normal<double>(B * L * D, 1, 2, 0.5)), t = new(KernelData.Normal<double>(B * L * D, 2));
        using KernelBuffer<double> loss = new(1), g = new(s.Count);
        using KernelBuffer<int> lengths = new([2, 3]);
        LayerMseKernel.Gradient<double>(s, t, B, L, D, lengths, normalise, 0.1, 1.7, g);
        double[] expected = new double[s.Count];
        for (int i = 0; i < expected.Length; i++)
        {
            double at = s.Span[i];
            s.Span[i] = at + Step;
            LayerMseKernel.Forward<double>(s, t, B, L, D, lengths, normalise, 0.1, loss);
            double above = loss.Span[0];
            s.Span[i] = at - Step;
            LayerMseKernel.Forward<double>(s, t, B, L, D, lengths, normalise, 0.1, loss);
            expected[i] = 1.7 * (above - loss.Span[0]) / (2 * Step);
            s.Span[i] = at;
        }

        KernelData.Close<double>(g.Span, expected, 1e-8);
        Assert.All(g.Span[(2 * D)..(3 * D)].ToArray(), v => Assert.Equal(0, v));
    }

    [Fact]
    public void Positions_that_do_not_count_are_not_read()
    {
        const int L = 4, D = 5;
        float[] values = KernelData.Normal<float>(L * D, 1);
        values.AsSpan(2 * D).Fill(float.NaN);
        using KernelBuffer<float> s = new(values), t = new(KernelData.Normal<float>(L * D, 2)), loss = new(1), g = new(L * D);
        using KernelBuffer<int> lengths = new([2]);
        LayerMseKernel.Forward<float>(s, t, 1, L, D, lengths, true, 1, loss);
        LayerMseKernel.Gradient<float>(s, t, 1, L, D, lengths, true, 1, 1, g);
        Assert.True(float.IsFinite(loss.Span[0]));
        Assert.All(g.ToArray(), v => Assert.True(float.IsFinite(v)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Same_bits_on_any_thread_count(bool normalise)
    {
        const int B = 8, L = 91, D = 130;
        using KernelBuffer<float> s = new(KernelData.Normal<float>(B * L * D, 1)), t = new(KernelData.Normal<float>(B * L * D, 2));
        using KernelBuffer<int> lengths = new([91, 90, 1, 0, 45, 91, 7, 91]);
        KernelData.SameBitsOnAnyThreadCount<float>(() =>
        {
            using KernelBuffer<float> loss = new(1), g = new(s.Count);
            LayerMseKernel.Forward<float>(s, t, B, L, D, lengths, normalise, 0.5f, loss);
            LayerMseKernel.Gradient<float>(s, t, B, L, D, lengths, normalise, 0.5f, 1, g);
            return [.. loss.ToArray(), .. g.ToArray()];
        });
    }

    private static void ForAllShapes<T>(bool normalise, double budget)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T> =>
        Prop.ForAll(
            Arb.From(from b in Gen.Choose(0, 4) from l in Gen.Choose(0, 9) select (b, l)),
            Arb.From(Gen.Frequency((6, Gen.Choose(0, 70)), (1, Gen.Choose(300, 1100)))),
            Arb.From(Gen.Choose(0, 1_000_000)),
            (batch, d, seed) =>
            {
                (int b, int l) = batch;
                int count = b * l * d;
                T scale = T.CreateTruncating(0.25), gloss = T.CreateTruncating(-3);
                using KernelBuffer<T> s = new(Spread<T>(count, d, seed, 20)), t = new(Spread<T>(count, d, seed + 1, -20));
                using KernelBuffer<T> loss = new(1), g = new(count);
                using KernelBuffer<int> lengths = new([.. Enumerable.Range(0, b).Select(i => (seed + (3 * i)) % (l + 1))]);
                int* counted = seed % 3 == 0 ? null : lengths.Pointer;
                LayerMseKernel.Forward<T>(s, t, b, l, d, counted, normalise, scale, loss);
                LayerMseKernel.Gradient<T>(s, t, b, l, d, counted, normalise, scale, gloss, g);
                double expected = LayerMseReference.Forward<T>(s, t, b, l, d, counted, normalise, 0.25);
                KernelData.Close<T>(loss.Span, [expected], budget, "loss");
                double[] gradient = LayerMseReference.Gradient<T>(s, t, b, l, d, counted, normalise, 0.25, -3);
                KernelData.Close<T>(g.Span, gradient, budget, "gradient", scale: normalise ? Math.Sqrt(count) : 0);
                LayerMseKernel.Gradient<T>(s, t, b, l, d, counted, normalise, scale, gloss, s);
                Assert.Equal(g.ToArray(), s.ToArray());
            }).Holds(60);

    /// <summary>Normal numbers in rows of d whose first two elements are pulled apart: rows of nearly equal elements amplify rounding without bound.</summary>
    private static T[] Spread<T>(int count, int d, int seed, double apart)
        where T : unmanaged, System.Numerics.INumberBase<T>
    {
        T[] x = KernelData.Normal<T>(count, seed, 2, 0.5);
        for (int i = 0; d > 1 && i < count; i += d)
        {
            x[i] += T.CreateTruncating(apart);
            x[i + 1] -= T.CreateTruncating(apart);
        }

        return x;
    }
}
