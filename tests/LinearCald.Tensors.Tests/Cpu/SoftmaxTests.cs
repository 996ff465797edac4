using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class SoftmaxTests
{
    [Fact]
    public void Forward_and_backward_agree_with_the_reference()
    {
        KernelShapes.ForAllMatrices((rows, columns, seed) =>
        {
            int count = rows * columns;
            using KernelBuffer<float> x = new(KernelData.Normal<float>(count, seed, 3)), dy = new(KernelData.Normal<float>(count, seed + 1));
            using KernelBuffer<float> y = new(count), dx = new(count);
            using KernelBuffer<int> lengths = new(rows);
            System.Random random = new(seed);
            for (int r = 0; r < rows; r++)
            {
                lengths.Span[r] = random.Next(0, columns + 1);
            }

            foreach (bool masked in (bool[])[false, true])
            {
                int* valid = masked ? lengths.Pointer : null;
                double[] expected = SoftmaxReference.Forward<float>(x, rows, columns, 0.7, valid);
                Softmax.Forward<float>(x, y, rows, columns, 0.7f, valid);
                KernelData.Close<float>(y.Span, expected, 2e-6);
                double[] gradient = SoftmaxReference.Backward(expected, KernelData.ToDouble(dy.ToArray()), rows, columns, 0.7);
                Softmax.Backward<float>(y, dy, dx, rows, columns, 0.7f, accumulate: false, valid);
                KernelData.Close<float>(dx.Span, gradient, 3e-6, "gradient", scale: 0.1);
                Softmax.Backward<float>(y, dy, dx, rows, columns, 0.7f, accumulate: true, valid);
                KernelData.Close<float>(dx.Span, [.. gradient.Select(g => 2 * g)], 3e-6, "gradient", scale: 0.1);
            }
        });
    }

    [Fact]
    public void Logarithm_is_the_logarithm_and_its_gradient_the_difference()
    {
        KernelShapes.ForAllMatrices((rows, columns, seed) =>
        {
            int count = rows * columns;
            using KernelBuffer<double> x = new(KernelData.Normal<double>(count, seed, 3)), dy = new(KernelData.Normal<double>(count, seed + 1));
            using KernelBuffer<double> y = new(count), dx = new(count);
            double[] probabilities = SoftmaxReference.Forward<double>(x, rows, columns, 1.3);
            double[] expected = [.. probabilities.Select(p => Math.Log(p))];
            Softmax.LogForward<double>(x, y, rows, columns, 1.3);
            KernelData.Close<double>(y.Span, expected, 1e-13, scale: 1);

            double[] gradient = new double[count];
            for (int r = 0; r < rows; r++)
            {
                double sum = 0;
                for (int c = 0; c < columns; c++)
                {
                    sum += dy.Span[(r * columns) + c];
                }

                for (int c = 0; c < columns; c++)
                {
                    gradient[(r * columns) + c] = 1.3 * (dy.Span[(r * columns) + c] - (probabilities[(r * columns) + c] * sum));
                }
            }

            Softmax.LogBackward<double>(y, dy, dx, rows, columns, 1.3, accumulate: false);
            KernelData.Close<double>(dx.Span, gradient, 1e-13, scale: 1);
            Softmax.LogBackward<double>(y, dy, dx, rows, columns, 1.3, accumulate: true);
            KernelData.Close<double>(dx.Span, [.. gradient.Select(g => 2 * g)], 1e-13, scale: 1);
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Gradient_is_the_central_difference(bool logarithm)
    {
        const int Rows = 3, Columns = 9;
        const double Step = 1e-5;
        double[] values = KernelData.Normal<double>(Rows * Columns, 1), weights = KernelData.Normal<double>(Rows * Columns, 2);
        double Loss(double[] at)
        {
            using KernelBuffer<double> x = new(at), y = new(at.Length);
            if (logarithm)
            {
                Softmax.LogForward<double>(x, y, Rows, Columns, 0.8);
            }
            else
            {
                Softmax.Forward<double>(x, y, Rows, Columns, 0.8);
            }

            return y.ToArray().Zip(weights, (a, b) => a * b).Sum();
        }

        using KernelBuffer<double> x = new(values), y = new(values.Length), dy = new(weights), dx = new(values.Length);
        if (logarithm)
        {
            Softmax.LogForward<double>(x, y, Rows, Columns, 0.8);
            Softmax.LogBackward<double>(y, dy, dx, Rows, Columns, 0.8, accumulate: false);
        }
        else
        {
            Softmax.Forward<double>(x, y, Rows, Columns, 0.8);
            Softmax.Backward<double>(y, dy, dx, Rows, Columns, 0.8, accumulate: false);
        }

        KernelData.Close<double>(dx.Span, KernelData.CentralDifferences(Loss, values, Step), 1e-8);
    }

    [Fact]
    public void Golden_values()
    {
        GoldenOps golden = GoldenOps.Load("ops");
        using KernelBuffer<float> x = new(golden.Float("softmax.x")), dy = new(golden.Float("softmax.grad_out")), y = new(300), dx = new(300);
        Softmax.Forward<float>(x, y, 6, 50, 1);
        Softmax.Backward<float>(y, dy, dx, 6, 50, 1, accumulate: false);
        KernelData.Close<float>(y.Span, golden.Double("softmax.out"), 2e-6);
        KernelData.Close<float>(dx.Span, golden.Double("softmax.grad.x"), 2e-6);

        using KernelBuffer<float> lx = new(golden.Float("log_softmax.x")), ldy = new(golden.Float("log_softmax.grad_out"));
        Softmax.LogForward<float>(lx, y, 6, 50, 1);
        Softmax.LogBackward<float>(y, ldy, dx, 6, 50, 1, accumulate: false);
        KernelData.Close<float>(y.Span, golden.Double("log_softmax.out"), 2e-6);
        KernelData.Close<float>(dx.Span, golden.Double("log_softmax.grad.x"), 2e-6);
    }

    [Fact]
    public void Extremes()
    {
        float inf = float.PositiveInfinity;
        using KernelBuffer<float> x = new([1000, 1001, -inf, -1000, -inf, -inf, -inf, -inf, 1, float.NaN, 2, 3]), y = new(12);
        Softmax.Forward<float>(x, y, 3, 4, 1);
        KernelData.Close<float>(y.Span[..4], [1 / (1 + Math.E), Math.E / (1 + Math.E), 0, 0], 1e-6);
        Assert.All(y.ToArray()[4..], v => Assert.True(float.IsNaN(v)));
    }

    [Fact]
    public void Same_bits_on_any_thread_count()
    {
        const int Rows = 900, Columns = 77;
        float[] values = KernelData.Normal<float>(Rows * Columns, 5);
        KernelData.SameBitsOnAnyThreadCount(() =>
        {
            using KernelBuffer<float> x = new(values), y = new(values.Length), dx = new(values.Length);
            Softmax.Forward<float>(x, y, Rows, Columns, 1);
            Softmax.Backward<float>(y, x, dx, Rows, Columns, 1, accumulate: false);
            return (float[])[.. y.ToArray(), .. dx.ToArray()];
        });
    }
}
