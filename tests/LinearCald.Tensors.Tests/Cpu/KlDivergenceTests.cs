using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class KlDivergenceTests
{
    [Fact]
    public void Forward_and_gradient_agree_with_the_reference()
    {
        ForAllBatches<float>(2e-6);
        ForAllBatches<double>(1e-13);
    }

    [Fact]
    public void Gradient_is_the_central_difference_in_float64()
    {
        const int Rows = 4, Classes = 19;
        const double Step = 1e-5;
        using KernelBuffer<double> s = new(KernelData.Normal<double>(Rows * Classes, 1, 2)), t = new(KernelData.Normal<double>(Rows * Classes, 2, 2));
        using KernelBuffer<double> loss = new(1), g = new(s.Count);
        KlDivergenceKernel.Gradient<double>(s, t, Rows, Classes, 2.5, 0.3, 1.7, g);
        double[] expected = new double[s.Count];
        for (int i = 0; i < expected.Length; i++)
        {
            double at = s.Span[i];
            s.Span[i] = at + Step;
            KlDivergenceKernel.Forward<double>(s, t, Rows, Classes, 2.5, 0.3, loss);
            double above = loss.Span[0];
            s.Span[i] = at - Step;
            KlDivergenceKernel.Forward<double>(s, t, Rows, Classes, 2.5, 0.3, loss);
            expected[i] = 1.7 * (above - loss.Span[0]) / (2 * Step);
            s.Span[i] = at;
        }

        KernelData.Close<double>(g.Span, expected, 1e-8);
    }

    [Fact]
    public void A_distribution_is_at_distance_0_from_itself()
    {
        using KernelBuffer<float> x = new(KernelData.Normal<float>(50, 1, 5)), loss = new(1), g = new(50);
        KlDivergenceKernel.Forward<float>(x, x, 2, 25, 1, 1, loss);
        KlDivergenceKernel.Gradient<float>(x, x, 2, 25, 1, 1, 1, g);
        Assert.Equal(0, loss.Span[0]);
        Assert.All(g.ToArray(), v => Assert.Equal(0, v));
    }

    [Fact]
    public void Classes_that_cannot_be_add_nothing_unless_the_teacher_thinks_they_can()
    {
        const float Low = float.NegativeInfinity;
        using KernelBuffer<float> t = new([1, Low, 0, Low]), s = new([0, 2, 1, Low]), loss = new(1), g = new(4);
        KlDivergenceKernel.Forward<float>(s, t, 1, 4, 1, 1, loss);
        KlDivergenceKernel.Gradient<float>(s, t, 1, 4, 1, 1, 1, g);
        KernelData.Close<float>(loss.Span, [KlDivergenceReference.Forward<float>(s, t, 1, 4, 1, 1)], 1e-6);
        KernelData.Close<float>(g.Span, KlDivergenceReference.Gradient<float>(s, t, 1, 4, 1, 1, 1), 1e-6);
        KlDivergenceKernel.Forward<float>(t, s, 1, 4, 1, 1, loss);
        Assert.Equal(float.PositiveInfinity, loss.Span[0]);
    }

    [Fact]
    public void Same_bits_on_any_thread_count()
    {
        const int Rows = 301, Classes = 1033;
        float[] values = KernelData.Normal<float>(Rows * Classes, 5, 3);
        using KernelBuffer<float> s = new(values), t = new(KernelData.Normal<float>(Rows * Classes, 6, 3));
        KernelData.SameBitsOnAnyThreadCount<float>(() =>
        {
            using KernelBuffer<float> loss = new(1), g = new(values.Length);
            KlDivergenceKernel.Forward<float>(s, t, Rows, Classes, 2, 0.01f, loss);
            KlDivergenceKernel.Gradient<float>(s, t, Rows, Classes, 2, 0.01f, 1, g);
            return [.. loss.ToArray(), .. g.ToArray()];
        });
    }

    [Fact]
    public void Golden_values()
    {
        const int Classes = 12;
        GoldenOps golden = GoldenOps.Load("ops");
        using KernelBuffer<float> s = new(golden.Float("kl_temperature_2.s")), t = new(golden.Float("kl_temperature_2.t"));
        using KernelBuffer<float> loss = new(8), g = new(s.Count);
        float[] gloss = golden.Float("kl_temperature_2.grad_out");
        for (int row = 0; row < 8; row++)
        {
            int at = row * Classes;
            KlDivergenceKernel.Forward<float>(s.Pointer + at, t.Pointer + at, 1, Classes, 2, 1, loss.Pointer + row);
            KlDivergenceKernel.Gradient<float>(s.Pointer + at, t.Pointer + at, 1, Classes, 2, 1, gloss[row], g.Pointer + at);
        }

        KernelData.Close<float>(loss.Span, golden.Double("kl_temperature_2.out"), 1e-6);
        KernelData.Close<float>(g.Span, golden.Double("kl_temperature_2.grad.s"), 1e-6);
    }

    private static void ForAllBatches<T>(double budget)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T> =>
        KernelShapes.ForAllMatrices((rows, classes, seed) =>
        {
            double beta = 0.5 + (seed % 4), scale = 0.25;
            using KernelBuffer<T> s = new(KernelData.Normal<T>(rows * classes, seed, 2)), t = new(KernelData.Normal<T>(rows * classes, seed + 1, 2));
            using KernelBuffer<T> loss = new(1), g = new(s.Count);
            T temperature = T.CreateTruncating(beta), factor = T.CreateTruncating(scale), gloss = T.CreateTruncating(-3);
            KlDivergenceKernel.Forward<T>(s, t, rows, classes, temperature, factor, loss);
            KlDivergenceKernel.Gradient<T>(s, t, rows, classes, temperature, factor, gloss, g);
            double expected = KlDivergenceReference.Forward<T>(s, t, rows, classes, beta, scale);
            KernelData.Close<T>(loss.Span, [expected], budget, "loss", scale: rows * scale);
            double[] gradient = KlDivergenceReference.Gradient<T>(s, t, rows, classes, beta, scale, -3);
            KernelData.Close<T>(g.Span, gradient, budget, "gradient", scale: 3 * scale / beta);
            KlDivergenceKernel.Gradient<T>(s, t, rows, classes, temperature, factor, gloss, s);
            Assert.Equal(g.ToArray(), s.ToArray());
        });
}
