using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Cuda.Tests.Elementwise;

namespace LinearCald.Tensors.Cuda.Tests.Rows;

/// <summary>Layer norm kernels against the plain twins of the CPU, on any device.</summary>
internal static unsafe class LayerNormChecks
{
    private const double Epsilon = 1e-5;

    public static void Forward(Accelerator accelerator, int cases, int columns) =>
        Properties.Check(cases, Prop.ForAll(RowCase.UpTo(columns), c =>
        {
            double[] x = c.Normal(1, 2, 1);
            double[]? w = c.Seed % 3 > 0 ? c.Parameter(2) : null;
            double[]? b = c.Seed % 3 > 1 ? c.Parameter(3) : null;
            using DeviceArray input = c.Put(accelerator, x);
            using DeviceArray? weight = w is null ? null : DeviceArray.Of(accelerator, DType.Float32, w);
            using DeviceArray? bias = b is null ? null : DeviceArray.Of(accelerator, DType.Float32, b);
            using DeviceArray output = c.Result(accelerator);
            using DeviceArray mean = new(accelerator, DType.Float32, c.Rows);
            using DeviceArray rstd = new(accelerator, DType.Float32, c.Rows);
            Cuda.Kernels.LayerNorm.Forward(
                accelerator, c.Type, input.Address, weight?.Address ?? 0, bias?.Address ?? 0, output.Address, mean.Address, rstd.Address, c.Rows, c.Columns, Epsilon);
            c.Close(Reference(x, w, b, c), output.Read(), Factor(c));
            Statistics(x, c, mean.Read(), rstd.Read());
        }));

    /// <summary>The sum has the very bits of x + h · factor, and y is its norm.</summary>
    public static void Residual(Accelerator accelerator, int cases, int columns) =>
        Properties.Check(cases, Prop.ForAll(RowCase.UpTo(columns), c =>
        {
            double[] x = c.Normal(1);
            double[] h = c.Normal(2);
            double[] w = c.Parameter(3);
            double[] b = c.Parameter(4);
            double p = c.Seed % 4 == 0 ? 0 : 0.3;
            using DeviceBuffer<ulong> shift = accelerator.Allocate<ulong>([5]);
            RandomKey key = new((ulong)c.Seed * 0x123456789, (ulong)c.Seed << 33);
            using DeviceArray input = c.Put(accelerator, x);
            using DeviceArray added = c.Put(accelerator, h);
            using DeviceArray weight = DeviceArray.Of(accelerator, DType.Float32, w);
            using DeviceArray bias = DeviceArray.Of(accelerator, DType.Float32, b);
            using DeviceArray sum = c.Result(accelerator);
            using DeviceArray output = c.Result(accelerator);
            using DeviceArray mean = new(accelerator, DType.Float32, c.Rows);
            using DeviceArray rstd = new(accelerator, DType.Float32, c.Rows);
            Cuda.Kernels.LayerNorm.Residual(
                accelerator, c.Type, input.Address, added.Address, weight.Address, bias.Address, sum.Address, output.Address, mean.Address, rstd.Address,
                c.Rows, c.Columns, Epsilon, p, new DeviceRandomKey(key with { Stream = key.Stream - 5 }, shift.ReadOnly));

            float[] factors = new float[x.Length];
            fixed (float* f = factors)
            {
                new DropoutMask<float>(p, key.Seed, key.Stream).Factors(0, f, factors.Length);
            }

            double[] sums = DeviceArray.Stored(c.Type, x.Select((v, i) => (double)((float)v + ((float)h[i] * factors[i]))));
            Assert.Equal(sums, sum.Read());
            c.Close(Reference(sums, w, b, c), output.Read(), Factor(c));
            Statistics(sums, c, mean.Read(), rstd.Read());
        }));

    public static void Backward(Accelerator accelerator, int cases, int columns) =>
        Properties.Check(cases, Prop.ForAll(RowCase.UpTo(columns), c =>
        {
            double[] x = c.Normal(1, 2, 1);
            double[] gy = c.Normal(2);
            double[]? w = c.Seed % 3 > 0 ? c.Parameter(3, 1) : null;
            bool accumulate = c.Seed % 2 == 0;
            bool wanted = c.Seed % 5 > 0;
            double[] before = c.Parameter(4);
            double[] mean = new double[c.Rows];
            double[] rstd = new double[c.Rows];
            for (int r = 0; r < c.Rows; r++)
            {
                (mean[r], rstd[r]) = Moments(x.AsSpan(r * c.Columns, c.Columns));
            }

            using DeviceArray input = c.Put(accelerator, x);
            using DeviceArray gradient = c.Put(accelerator, gy);
            using DeviceArray? weight = w is null ? null : DeviceArray.Of(accelerator, DType.Float32, w);
            using DeviceArray average = DeviceArray.Of(accelerator, DType.Float32, mean);
            using DeviceArray scale = DeviceArray.Of(accelerator, DType.Float32, rstd);
            using DeviceArray gx = c.Result(accelerator);
            using DeviceArray gw = DeviceArray.Of(accelerator, DType.Float32, before);
            using DeviceArray gb = DeviceArray.Of(accelerator, DType.Float32, before);
            Cuda.Kernels.LayerNorm.Backward(
                accelerator, c.Type, gradient.Address, input.Address, weight?.Address ?? 0, average.Address, scale.Address, wanted ? gx.Address : 0,
                gw.Address, accumulate, gb.Address, !accumulate, c.Rows, c.Columns);
            (double[] dx, double[] dw, double[] db) = Gradients(x, w, gy, c);
            if (wanted && c.Columns > 3)
            {
                c.Close(dx, gx.Read(), 20);
            }

            Errors.Close([.. dw.Select((v, i) => v + (accumulate ? before[i] : 0))], gw.Read(), 3e-5, $"{c}, weight");
            Errors.Close([.. db.Select((v, i) => v + (accumulate ? 0 : before[i]))], gb.Read(), 3e-6, $"{c}, bias");
        }));

    // With two or three columns a row can be all but constant: then the norm magnifies what its mean rounds off.
    private static double Factor(RowCase c) => c.Columns <= 3 ? 1000 : 4;

    private static void Statistics(double[] x, RowCase c, double[] mean, double[] rstd)
    {
        for (int r = 0; r < c.Rows; r++)
        {
            (double average, double scale) = Moments(x.AsSpan(r * c.Columns, c.Columns));
            Assert.Equal(average, mean[r], 1e-5);
            Assert.InRange(rstd[r] / scale, 1 - 1e-3, 1 + 1e-3);
        }
    }

    private static (double Mean, double Rstd) Moments(ReadOnlySpan<double> row)
    {
        double mean = row.ToArray().Average();
        return (mean, 1 / Math.Sqrt(row.ToArray().Average(v => (v - mean) * (v - mean)) + Epsilon));
    }

    private static double[] Reference(double[] x, double[]? w, double[]? b, RowCase c)
    {
        fixed (double* px = x, pw = w, pb = b)
        {
            return LayerNormReference.Forward(px, pw, pb, c.Rows, c.Columns, Epsilon);
        }
    }

    private static (double[] Input, double[] Weight, double[] Bias) Gradients(double[] x, double[]? w, double[] gy, RowCase c)
    {
        fixed (double* px = x, pw = w, pg = gy)
        {
            return LayerNormReference.Backward(px, pw, pg, c.Rows, c.Columns, Epsilon);
        }
    }
}
