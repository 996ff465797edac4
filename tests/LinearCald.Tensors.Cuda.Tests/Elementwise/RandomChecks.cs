using LinearCald.Gpu;
using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda.Tests.Elementwise;

/// <summary>Test bodies for random numbers and dropout: the CPU's, number for number.</summary>
internal static unsafe class RandomChecks
{
    public static void Dropout(Accelerator accelerator, DType type) => ElementwiseChecks.ForAll((count, offset, seed) =>
    {
        double p = seed % 3 == 0 ? 0.1 : seed % 3 == 1 ? 0.5 : 0;
        RandomKey key = new((ulong)seed * 0x123456789UL, (1UL << 40) + (ulong)seed);
        double[] values = ElementwiseChecks.Normal(type, count, seed);
        float[] expected = [.. values.Select(v => (float)v)];
        fixed (float* y = expected)
        {
            DropoutKernel.Apply(y, y, count, p, key.Seed, key.Stream);
        }

        using DeviceArray x = DeviceArray.Of(accelerator, type, values, offset), actual = new(accelerator, type, count, offset);
        using DeviceBuffer<ulong> origin = accelerator.Allocate<ulong>([0]);
        RandomNumbers.Dropout(accelerator, type, x.Address, actual.Address, count, p, new DeviceRandomKey(key, origin.ReadOnly));
        Assert.Equal(DeviceArray.Stored(type, expected.Select(v => (double)v)), actual.Read());

        // The same stream as a distance from a base in device memory.
        origin.CopyFrom([key.Stream - 5]);
        DeviceRandomKey shifted = new(key with { Stream = 5 }, origin.ReadOnly);
        RandomNumbers.Dropout(accelerator, type, x.Address, x.Address, count, p, shifted);
        Assert.Equal(actual.Bytes(), x.Bytes());
    });

    public static void Uniform(Accelerator accelerator) => ElementwiseChecks.ForAll((count, offset, seed) =>
    {
        RandomKey key = new((ulong)seed, 1UL << 33);
        float[] expected = new float[count];
        double[] precise = new double[count];
        fixed (float* y = expected)
        fixed (double* z = precise)
        {
            RandomFill.Uniform(y, count, -0.25, 3, key);
            RandomFill.Uniform(z, count, -0.25, 3, key);
        }

        using DeviceArray actual = new(accelerator, DType.Float32, count, offset), actual64 = new(accelerator, DType.Float64, count, offset);
        RandomNumbers.Uniform(accelerator, DType.Float32, actual.Address, count, -0.25, 3, key);
        RandomNumbers.Uniform(accelerator, DType.Float64, actual64.Address, count, -0.25, 3, key);
        Assert.Equal(expected, actual.ToArray<float>());
        Assert.Equal(precise, actual64.ToArray<double>());
        using DeviceArray half = new(accelerator, DType.Float16, count, offset);
        RandomNumbers.Uniform(accelerator, DType.Float16, half.Address, count, -0.25, 3, key);
        Assert.Equal(expected.Select(v => (Half)v), half.ToArray<Half>());
    });

    public static void Normal(Accelerator accelerator) => ElementwiseChecks.ForAll((count, offset, seed) =>
    {
        RandomKey key = new((ulong)seed, (ulong)seed);
        double[] expected = new double[count];
        fixed (double* y = expected)
        {
            RandomFill.Normal(y, count, 0.5, 2, key);
        }

        using DeviceArray actual = new(accelerator, DType.Float64, count, offset), narrow = new(accelerator, DType.Float32, count, offset);
        RandomNumbers.Normal(accelerator, DType.Float64, actual.Address, count, 0.5, 2, key);
        RandomNumbers.Normal(accelerator, DType.Float32, narrow.Address, count, 0.5, 2, key);
        double[] numbers = actual.ToArray<double>();
        for (int i = 0; i < count; i++)
        {
            Assert.True(Math.Abs(numbers[i] - expected[i]) < 1e-12, $"number {i} of {key}: {numbers[i]}, expected {expected[i]}");
        }

        Assert.Equal(numbers.Select(v => (float)v), narrow.ToArray<float>());
    });
}
