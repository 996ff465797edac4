using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class CrossEntropyTests
{
    private const int Ignore = -100;

    [Fact]
    public void Forward_and_gradient_agree_with_the_reference()
    {
        ForAllBatches<float>(2e-6);
        ForAllBatches<double>(1e-13);
    }

    [Fact]
    public void Gradient_is_the_central_difference_in_float64()
    {
        const int Rows = 7, Classes = 19;
        const double Step = 1e-5;
        using KernelBuffer<double> x = new(KernelData.Normal<double>(Rows * Classes, 1, 2)), lse = new(Rows), loss = new(1), g = new(x.Count);
        using KernelBuffer<int> labels = new([3, Ignore, 0, 18, 5, Ignore, 3]);
        foreach (bool mean in (bool[])[true, false])
        {
            CrossEntropyKernel.Forward<double>(x, labels, Rows, Classes, Ignore, mean, loss, lse);
            CrossEntropyKernel.Gradient<double>(x, labels, Rows, Classes, Ignore, mean, lse, 1.7, g);
            double[] expected = new double[x.Count];
            for (int i = 0; i < expected.Length; i++)
            {
                double at = x.Span[i];
                x.Span[i] = at + Step;
                CrossEntropyKernel.Forward<double>(x, labels, Rows, Classes, Ignore, mean, loss, lse);
                double above = loss.Span[0];
                x.Span[i] = at - Step;
                CrossEntropyKernel.Forward<double>(x, labels, Rows, Classes, Ignore, mean, loss, lse);
                expected[i] = 1.7 * (above - loss.Span[0]) / (2 * Step);
                x.Span[i] = at;
            }

            KernelData.Close<double>(g.Span, expected, 1e-8);
        }
    }

    [Fact]
    public void Nothing_counted_is_NaN_as_a_mean_and_0_as_a_sum()
    {
        using KernelBuffer<float> x = new(KernelData.Normal<float>(6, 1)), lse = new(2), loss = new(1), g = new(6);
        using KernelBuffer<int> labels = new([Ignore, Ignore]);
        CrossEntropyKernel.Forward<float>(x, labels, 2, 3, Ignore, true, loss, lse);
        Assert.True(float.IsNaN(loss.Span[0]));
        CrossEntropyKernel.Forward<float>(x, labels, 2, 3, Ignore, false, loss, lse);
        Assert.Equal(0, loss.Span[0]);
        CrossEntropyKernel.Gradient<float>(x, labels, 2, 3, Ignore, true, lse, 1, g);
        Assert.All(g.ToArray(), v => Assert.Equal(0, v));
    }

    [Fact]
    public void Extreme_logits_neither_overflow_nor_hide_a_NaN()
    {
        const float Low = float.NegativeInfinity;
        using KernelBuffer<float> x = new([1e30f, Low, -1e30f, Low, 88, 89, float.NaN, 0, 0]), lse = new(3), loss = new(1), g = new(9);
        using KernelBuffer<int> labels = new([0, 2, 1]);
        CrossEntropyKernel.Forward<float>(x, labels, 2, 3, Ignore, false, loss, lse);
        CrossEntropyKernel.Gradient<float>(x, labels, 2, 3, Ignore, false, lse, 1, g);
        float high = 1 / (1 + MathF.Exp(-1));
        KernelData.Close<float>(loss.Span, [-Math.Log(high)], 1e-6);
        KernelData.Close<float>(g.Span[..6], [0, 0, 0, 0, 1 - high, high - 1], 1e-5);
        CrossEntropyKernel.Forward<float>(x, labels, 3, 3, Ignore, false, loss, lse);
        Assert.True(float.IsNaN(loss.Span[0]));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(-1)]
    public void A_label_outside_the_classes_is_named(int label)
    {
        using KernelBuffer<float> x = new(new float[12]), lse = new(4), loss = new(1);
        using KernelBuffer<int> labels = new([2, Ignore, label, 0]);
        string message = Assert.Throws<CaldException>(
            () => CrossEntropyKernel.Forward<float>(x, labels, 4, 3, Ignore, true, loss, lse)).Message;
        Assert.Contains($"the label of row 2 is {label}, but there are 3 classes", message, StringComparison.Ordinal);
        Assert.Throws<CaldException>(() => CrossEntropyKernel.Gradient<float>(x, labels, 4, 3, Ignore, true, lse, 1, x));
    }

    [Theory]
    [InlineData(300, 1031)]
    [InlineData(5, 50265)]
    [InlineData(9001, 3)]
    public void Same_bits_on_any_thread_count(int rows, int classes)
    {
        float[] values = KernelData.Normal<float>(rows * classes, 5, 3);
        using KernelBuffer<int> labels = new(Labels(rows, classes, 6));
        KernelData.SameBitsOnAnyThreadCount<float>(() =>
        {
            using KernelBuffer<float> x = new(values), lse = new(rows), loss = new(1), g = new(values.Length);
            CrossEntropyKernel.Forward<float>(x, labels, rows, classes, Ignore, true, loss, lse);
            CrossEntropyKernel.Gradient<float>(x, labels, rows, classes, Ignore, true, lse, 1, g);
            return [.. loss.ToArray(), .. lse.ToArray(), .. g.ToArray()];
        });
    }

    [Fact]
    public void Golden_values()
    {
        GoldenOps golden = GoldenOps.Load("ops");
        using KernelBuffer<float> x = new(golden.Float("cross_entropy_ignore.x")), lse = new(9), loss = new(1), g = new(x.Count);
        using KernelBuffer<int> labels = new(Array.ConvertAll(golden.Long("cross_entropy_ignore.y"), y => (int)y));
        CrossEntropyKernel.Forward<float>(x, labels, 9, 11, Ignore, true, loss, lse);
        CrossEntropyKernel.Gradient<float>(x, labels, 9, 11, Ignore, true, lse, golden.Float("cross_entropy_ignore.grad_out")[0], g);
        KernelData.Close<float>(loss.Span, golden.Double("cross_entropy_ignore.out"), 1e-6);
        KernelData.Close<float>(g.Span, golden.Double("cross_entropy_ignore.grad.x"), 1e-6);
    }

    private static void ForAllBatches<T>(double budget)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T> =>
        KernelShapes.ForAllMatrices((rows, classes, seed) =>
        {
            bool mean = seed % 2 == 0;
            using KernelBuffer<int> labels = new(Labels(rows, classes, seed));
            using KernelBuffer<T> x = new(KernelData.Normal<T>(rows * classes, seed, 3)), lse = new(rows), loss = new(1), g = new(x.Count);
            CrossEntropyKernel.Forward<T>(x, labels, rows, classes, Ignore, mean, loss, lse);
            CrossEntropyKernel.Gradient<T>(x, labels, rows, classes, Ignore, mean, lse, T.CreateTruncating(1.5), g);
            double expected = CrossEntropyReference.Forward<T>(x, labels, rows, classes, Ignore, mean);
            if (double.IsNaN(expected))
            {
                Assert.True(T.IsNaN(loss.Span[0]));
            }
            else
            {
                KernelData.Close<T>(loss.Span, [expected], budget, "loss", scale: 1);
            }

            double[] gradient = CrossEntropyReference.Gradient<T>(x, labels, rows, classes, Ignore, mean, 1.5);
            int counted = mean ? Math.Max(1, labels.ToArray().Count(l => l != Ignore)) : 1;
            KernelData.Close<T>(g.Span, gradient, 2 * budget, "gradient", scale: 1.5 / counted);
            CrossEntropyKernel.Gradient<T>(x, labels, rows, classes, Ignore, mean, lse, T.CreateTruncating(1.5), x);
            Assert.Equal(g.ToArray(), x.ToArray());
        });

    private static int[] Labels(int rows, int classes, int seed)
    {
        Random random = new(seed);
        int[] labels = new int[rows];
        for (int i = 0; i < rows; i++)
        {
            labels[i] = random.Next(4) == 0 ? Ignore : random.Next(classes);
        }

        return labels;
    }
}
