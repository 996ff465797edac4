using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Cuda.Tests.Elementwise;

namespace LinearCald.Tensors.Cuda.Tests.Rows;

/// <summary>Softmax kernels against the plain twins of the CPU, on any device.</summary>
internal static unsafe class SoftmaxChecks
{
    public static void Forward(Accelerator accelerator, int cases, int columns) =>
        Properties.Check(cases, Prop.ForAll(RowCase.UpTo(columns), c =>
        {
            double[] x = c.Normal(1, 3);
            using DeviceArray input = c.Put(accelerator, x);
            using DeviceArray output = c.Result(accelerator);
            Cuda.Kernels.Softmax.Forward(accelerator, c.Type, input.Address, output.Address, c.Rows, c.Columns, log: false);
            double[] expected = Reference(x, c);
            c.Close(expected, output.Read(), 2);
            Cuda.Kernels.Softmax.Forward(accelerator, c.Type, input.Address, input.Address, c.Rows, c.Columns, log: true);
            c.Close(Array.ConvertAll(expected, Math.Log), input.Read(), 2);
        }));

    public static void Backward(Accelerator accelerator, int cases, int columns) =>
        Properties.Check(cases, Prop.ForAll(RowCase.UpTo(columns), c =>
        {
            double[] y = DeviceArray.Stored(c.Type, Reference(c.Normal(1, 2), c));
            double[] gy = c.Normal(2);
            using DeviceArray output = c.Put(accelerator, y);
            using DeviceArray gradient = c.Put(accelerator, gy);
            using DeviceArray result = c.Result(accelerator);
            Cuda.Kernels.Softmax.Backward(accelerator, c.Type, output.Address, gradient.Address, result.Address, c.Rows, c.Columns, log: false);
            c.Close(c.Columns == 1 ? result.Read() : SoftmaxReference.Backward(y, gy, c.Rows, c.Columns, 1), result.Read(), 10);

            double[] logs = DeviceArray.Stored(c.Type, y.Select(v => Math.Log(Math.Max(v, 1e-30))));
            output.Write(logs);
            Cuda.Kernels.Softmax.Backward(accelerator, c.Type, output.Address, gradient.Address, gradient.Address, c.Rows, c.Columns, log: true);
            double[] expected = new double[gy.Length];
            double[] sums = [.. gy.Chunk(c.Columns).Select(row => row.Sum())];
            for (int i = 0; i < gy.Length; i++)
            {
                expected[i] = gy[i] - (Math.Exp(logs[i]) * sums[i / c.Columns]);
            }

            if (c.Columns > 1)
            {
                c.Close(expected, gradient.Read(), 10);
            }
        }));

    /// <summary>−∞ is a class that cannot be; nothing but −∞ is no distribution; NaN stays.</summary>
    public static void SpecialRows(Accelerator accelerator)
    {
        foreach (int columns in new[] { 5, 40, 1030, 9000 })
        {
            double[] x = new double[3 * columns];
            Array.Fill(x, double.NegativeInfinity);
            x[columns - 1] = 2;
            x[(2 * columns) + 1] = double.NaN;
            RowCase c = new(DType.Float32, 3, columns, 0, 1);
            using DeviceArray input = c.Put(accelerator, x);
            Cuda.Kernels.Softmax.Forward(accelerator, c.Type, input.Address, input.Address, 3, columns, log: false);
            double[] y = input.Read();
            Assert.Equal(1, y[columns - 1]);
            Assert.Equal(1, y[..columns].Sum());
            Assert.All(y[columns..], v => Assert.True(double.IsNaN(v)));
        }
    }

    private static double[] Reference(double[] x, RowCase c)
    {
        fixed (double* p = x)
        {
            return SoftmaxReference.Forward(p, c.Rows, c.Columns, 1);
        }
    }
}
