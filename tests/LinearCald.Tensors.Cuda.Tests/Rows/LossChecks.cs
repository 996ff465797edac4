using FsCheck;
using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Cuda.Tests.Elementwise;

namespace LinearCald.Tensors.Cuda.Tests.Rows;

/// <summary>Loss kernels against the plain twins of the CPU, on any device.</summary>
internal static unsafe class LossChecks
{
    private const int Ignore = -100;

    public static void CrossEntropy(Accelerator accelerator, int cases, int columns) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(cases), Prop.ForAll(RowCase.UpTo(columns), c =>
        {
            double[] x = c.Normal(1, 3);
            Random random = new(c.Seed);
            int[] classes = [.. Enumerable.Range(0, c.Rows).Select(r => r > 0 && random.Next(4) == 0 ? Ignore : random.Next(c.Columns))];
            bool mean = c.Seed % 2 == 0;
            using DeviceArray logits = c.Put(accelerator, x);
            using DeviceArray labels = DeviceArray.Of<int>(accelerator, DType.Int32, classes);
            using DeviceArray loss = new(accelerator, DType.Float32, 1);
            using DeviceArray lse = new(accelerator, DType.Float32, c.Rows);
            Cuda.Kernels.CrossEntropy.Forward(accelerator, c.Type, logits.Address, labels.Address, Ignore, mean, loss.Address, lse.Address, c.Rows, c.Columns);
            fixed (double* p = x)
            fixed (int* l = classes)
            {
                double expected = CrossEntropyReference.Forward(p, l, c.Rows, c.Columns, Ignore, mean);
                Assert.Equal(expected, loss.Read()[0], 3e-6 * Math.Max(1, Math.Abs(expected)));
                using DeviceArray gloss = DeviceArray.Of(accelerator, DType.Float32, [0.75]);
                Cuda.Kernels.CrossEntropy.Backward(
                    accelerator, c.Type, logits.Address, labels.Address, Ignore, mean, lse.Address, gloss.Address, logits.Address, c.Rows, c.Columns);
                double[] gradient = CrossEntropyReference.Gradient(p, l, c.Rows, c.Columns, Ignore, mean, 0.75);
                if (c.Columns > 1)
                {
                    c.Close(gradient, logits.Read(), 10);
                }
            }
        }));

    /// <summary>No row counts: the mean is NaN, the sum 0, the gradient 0. A label that is no class gives NaN.</summary>
    public static void LabelsThatDoNotCount(Accelerator accelerator)
    {
        RowCase c = new(DType.Float32, 2, 10, 0, 1);
        using DeviceArray logits = c.Put(accelerator, c.Normal(1));
        using DeviceArray loss = new(accelerator, DType.Float32, 1);
        using DeviceArray lse = new(accelerator, DType.Float32, 2);
        using DeviceArray gloss = DeviceArray.Of(accelerator, DType.Float32, [1.0]);
        using DeviceArray result = c.Result(accelerator);
        using DeviceArray ignored = DeviceArray.Of<int>(accelerator, DType.Int32, [Ignore, Ignore]);
        using DeviceArray wrong = DeviceArray.Of<int>(accelerator, DType.Int32, [10, 3]);
        Assert.True(double.IsNaN(Loss(ignored, true)));
        Assert.Equal(0, Loss(ignored, false));
        Assert.Equal([0, 0], lse.Read());
        Cuda.Kernels.CrossEntropy.Backward(accelerator, c.Type, logits.Address, ignored.Address, Ignore, true, lse.Address, gloss.Address, result.Address, 2, 10);
        Assert.All(result.Read(), v => Assert.Equal(0, v));
        Assert.True(double.IsNaN(Loss(wrong, true)));

        double Loss(DeviceArray labels, bool mean)
        {
            Cuda.Kernels.CrossEntropy.Forward(accelerator, c.Type, logits.Address, labels.Address, Ignore, mean, loss.Address, lse.Address, 2, 10);
            return loss.Read()[0];
        }
    }
}
