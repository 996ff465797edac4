using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class LayerNormTests
{
    [Fact]
    public void Forward_and_backward_agree_with_the_reference()
    {
        KernelShapes.ForAllMatrices((rows, columns, seed) =>
        {
            int count = rows * columns;
            using KernelBuffer<float> x = new(KernelData.Normal<float>(count, seed, 2, 1)), dy = new(KernelData.Normal<float>(count, seed + 1));
            using KernelBuffer<float> weight = new(KernelData.Normal<float>(columns, seed + 2)), bias = new(KernelData.Normal<float>(columns, seed + 3));
            using KernelBuffer<float> y = new(count), mean = new(rows), rstd = new(rows), dx = new(count), dw = new(columns), db = new(columns);
            double slack = Math.Sqrt(count);
            foreach (bool affine in (bool[])[true, false])
            {
                float* w = affine ? weight.Pointer : null, b = affine ? bias.Pointer : null;
                LayerNorm.Forward<float>(x, w, b, y, mean, rstd, rows, columns, 0.1);
                KernelData.Close<float>(y.Span, LayerNormReference.Forward<float>(x, w, b, rows, columns, 0.1), 3e-6, "y", slack);

                (double[] input, double[] dweight, double[] dbias) = LayerNormReference.Backward<float>(x, w, dy, rows, columns, 0.1);
                LayerNorm.Backward<float>(x, w, mean, rstd, dy, dx, dw, db, rows, columns, accumulateInput: false, accumulateParameters: false);
                KernelData.Close<float>(dx.Span, input, 5e-6, "dx", slack);
                KernelData.Close<float>(dw.Span, dweight, 3e-6, "dw", slack);
                KernelData.Close<float>(db.Span, dbias, 3e-6, "db", slack);

                LayerNorm.Backward<float>(x, w, mean, rstd, dy, dx, dw, null, rows, columns, accumulateInput: true, accumulateParameters: true);
                KernelData.Close<float>(dx.Span, [.. input.Select(v => 2 * v)], 5e-6, "dx", slack);
                KernelData.Close<float>(dw.Span, [.. dweight.Select(v => 2 * v)], 3e-6, "dw", slack);
                KernelData.Close<float>(db.Span, dbias, 3e-6, "db", slack);
                LayerNorm.Backward<float>(x, w, mean, rstd, dy, null, null, db, rows, columns, accumulateInput: false, accumulateParameters: true);
                KernelData.Close<float>(db.Span, [.. dbias.Select(v => 2 * v)], 3e-6, "db", slack);
            }
        });
    }

    [Fact]
    public void Gradients_are_central_differences()
    {
        const int Rows = 3, Columns = 7;
        double[] values = KernelData.Normal<double>(Rows * Columns, 1), scale = KernelData.Normal<double>(Columns, 2);
        double[] shift = KernelData.Normal<double>(Columns, 3), weights = KernelData.Normal<double>(Rows * Columns, 4);
        double Loss(double[] at, double[] w, double[] b)
        {
            using KernelBuffer<double> x = new(at), weight = new(w), bias = new(b), y = new(at.Length), mean = new(Rows), rstd = new(Rows);
            LayerNorm.Forward<double>(x, weight, bias, y, mean, rstd, Rows, Columns, 1e-5);
            return y.ToArray().Zip(weights, (p, q) => p * q).Sum();
        }

        using KernelBuffer<double> x = new(values), weight = new(scale), bias = new(shift), y = new(values.Length), mean = new(Rows), rstd = new(Rows);
        using KernelBuffer<double> dy = new(weights), dx = new(values.Length), dw = new(Columns), db = new(Columns);
        LayerNorm.Forward<double>(x, weight, bias, y, mean, rstd, Rows, Columns, 1e-5);
        LayerNorm.Backward<double>(x, weight, mean, rstd, dy, dx, dw, db, Rows, Columns, false, false);
        KernelData.Close<double>(dx.Span, KernelData.CentralDifferences(v => Loss(v, scale, shift), values, 1e-5), 1e-7);
        KernelData.Close<double>(dw.Span, KernelData.CentralDifferences(v => Loss(values, v, shift), scale, 1e-5), 1e-8);
        KernelData.Close<double>(db.Span, KernelData.CentralDifferences(v => Loss(values, scale, v), shift, 1e-5), 1e-8);
    }

    [Fact]
    public void Golden_values()
    {
        GoldenOps golden = GoldenOps.Load("ops");
        using KernelBuffer<float> x = new(golden.Float("layer_norm.x")), w = new(golden.Float("layer_norm.w")), b = new(golden.Float("layer_norm.b"));
        using KernelBuffer<float> dy = new(golden.Float("layer_norm.grad_out")), y = new(720), mean = new(30), rstd = new(30), dx = new(720), dw = new(24), db = new(24);
        LayerNorm.Forward<float>(x, w, b, y, mean, rstd, 30, 24, 1e-5);
        LayerNorm.Backward<float>(x, w, mean, rstd, dy, dx, dw, db, 30, 24, false, false);
        KernelData.Close<float>(y.Span, golden.Double("layer_norm.out"), 2e-6);
        KernelData.Close<float>(dx.Span, golden.Double("layer_norm.grad.x"), 2e-6);
        KernelData.Close<float>(dw.Span, golden.Double("layer_norm.grad.w"), 2e-6);
        KernelData.Close<float>(db.Span, golden.Double("layer_norm.grad.b"), 2e-6);
    }

    [Fact]
    public void Same_bits_on_any_thread_count()
    {
        const int Rows = 1000, Columns = 65;
        float[] values = KernelData.Normal<float>(Rows * Columns, 5);
        KernelData.SameBitsOnAnyThreadCount(() =>
        {
            using KernelBuffer<float> x = new(values), w = new(values.AsSpan(0, Columns)), y = new(values.Length), mean = new(Rows), rstd = new(Rows);
            using KernelBuffer<float> dx = new(values.Length), dw = new(Columns), db = new(Columns);
            LayerNorm.Forward<float>(x, w, w, y, mean, rstd, Rows, Columns, 1e-5);
            LayerNorm.Backward<float>(x, w, mean, rstd, y, dx, dw, db, Rows, Columns, false, false);
            return (float[])[.. y.ToArray(), .. dx.ToArray(), .. dw.ToArray(), .. db.ToArray()];
        });
    }
}
