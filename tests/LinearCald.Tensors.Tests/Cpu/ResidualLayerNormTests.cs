using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class ResidualLayerNormTests
{
    [Fact]
    public void Is_dropout_then_a_sum_then_layer_norm()
    {
        KernelShapes.ForAllMatrices((rows, columns, seed) =>
        {
            int count = rows * columns;
            double p = seed % 3 * 0.2;
            ulong key = (ulong)seed, stream = 9;
            using KernelBuffer<double> x = new(KernelData.Normal<double>(count, seed)), h = new(KernelData.Normal<double>(count, seed + 1));
            using KernelBuffer<double> w = new(KernelData.Normal<double>(columns, seed + 2)), b = new(KernelData.Normal<double>(columns, seed + 3));
            using KernelBuffer<double> dy = new(KernelData.Normal<double>(count, seed + 4));
            using KernelBuffer<double> sum = new(count), y = new(count), mean = new(rows), rstd = new(rows);
            using KernelBuffer<double> dx = new(count), dh = new(count), dw = new(columns), db = new(columns);
            double[] factors = [.. Enumerable.Range(0, count).Select(i => DropoutReference.Factor(p, key, stream, (ulong)i))];
            using KernelBuffer<double> plain = new([.. Enumerable.Range(0, count).Select(i => x.Span[i] + (h.Span[i] * factors[i]))]);

            ResidualLayerNorm.Forward<double>(x, h, w, b, sum, y, mean, rstd, rows, columns, 1e-3, p, key, stream);
            KernelData.Close<double>(sum.Span, plain.ToArray(), 1e-14, "sum");
            double slack = Math.Sqrt(count) / 10;
            KernelData.Close<double>(y.Span, LayerNormReference.Forward<double>(plain, w, b, rows, columns, 1e-3), 1e-12, "y", slack);

            (double[] input, double[] dweight, double[] dbias) = LayerNormReference.Backward<double>(plain, w, dy, rows, columns, 1e-3);
            ResidualLayerNorm.Backward<double>(sum, w, mean, rstd, dy, dx, dh, dw, db, rows, columns, p, key, stream, accumulateInput: false, accumulateParameters: false);
            KernelData.Close<double>(dx.Span, input, 1e-12, "dx", slack);
            KernelData.Close<double>(dh.Span, [.. input.Zip(factors, (d, f) => d * f)], 1e-12, "dh", slack);
            KernelData.Close<double>(dw.Span, dweight, 1e-12, "dw", slack);
            KernelData.Close<double>(db.Span, dbias, 1e-12, "db", slack);

            double* gradientOfH = p > 0 || seed % 2 == 0 ? dh.Pointer : null;
            ResidualLayerNorm.Backward<double>(sum, w, mean, rstd, dy, dx, gradientOfH, null, db, rows, columns, p, key, stream, accumulateInput: true, accumulateParameters: true);
            KernelData.Close<double>(dx.Span, [.. input.Select(d => 2 * d)], 1e-12, "dx", slack);
            KernelData.Close<double>(dh.Span, [.. input.Zip(factors, (d, f) => d * f)], 1e-12, "dh", slack);
            KernelData.Close<double>(db.Span, [.. dbias.Select(d => 2 * d)], 1e-12, "db", slack);
        });
    }

    [Fact]
    public void Gradients_are_central_differences()
    {
        const int Rows = 2, Columns = 9;
        double[] first = KernelData.Normal<double>(Rows * Columns, 1), second = KernelData.Normal<double>(Rows * Columns, 2);
        double[] scale = KernelData.Normal<double>(Columns, 3), weights = KernelData.Normal<double>(Rows * Columns, 4);
        using KernelBuffer<double> w = new(scale), sum = new(first.Length), y = new(first.Length), mean = new(Rows), rstd = new(Rows);
        double Loss(double[] left, double[] right)
        {
            using KernelBuffer<double> x = new(left), h = new(right);
            ResidualLayerNorm.Forward<double>(x, h, w, w, sum, y, mean, rstd, Rows, Columns, 1e-5, 0.4, 5, 6);
            return y.ToArray().Zip(weights, (a, b) => a * b).Sum();
        }

        Loss(first, second);
        using KernelBuffer<double> dy = new(weights), dx = new(first.Length), dh = new(first.Length);
        ResidualLayerNorm.Backward<double>(sum, w, mean, rstd, dy, dx, dh, null, null, Rows, Columns, 0.4, 5, 6, false, false);
        double[] residual = dx.ToArray(), branch = dh.ToArray();
        KernelData.Close<double>(residual, KernelData.CentralDifferences(v => Loss(v, second), first, 1e-5), 1e-7);
        KernelData.Close<double>(branch, KernelData.CentralDifferences(v => Loss(first, v), second, 1e-5), 1e-7);
    }

    [Fact]
    public void Same_bits_on_any_thread_count()
    {
        const int Rows = 700, Columns = 100;
        float[] values = KernelData.Normal<float>(Rows * Columns, 5);
        KernelData.SameBitsOnAnyThreadCount(() =>
        {
            using KernelBuffer<float> x = new(values), w = new(values.AsSpan(0, Columns)), sum = new(values.Length), y = new(values.Length);
            using KernelBuffer<float> mean = new(Rows), rstd = new(Rows), dx = new(values.Length), dh = new(values.Length), dw = new(Columns), db = new(Columns);
            ResidualLayerNorm.Forward<float>(x, x, w, w, sum, y, mean, rstd, Rows, Columns, 1e-5, 0.1, 1, 2);
            ResidualLayerNorm.Backward<float>(sum, w, mean, rstd, y, dx, dh, dw, db, Rows, Columns, 0.1, 1, 2, false, false);
            return (float[])[.. y.ToArray(), .. dx.ToArray(), .. dh.ToArray(), .. dw.ToArray(), .. db.ToArray()];
        });
    }
}
