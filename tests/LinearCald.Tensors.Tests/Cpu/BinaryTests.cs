using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class BinaryTests
{
    public static TheoryData<string> Kinds => [.. Enum.GetNames<BinaryKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Same_shape_and_scalar_agree_with_the_reference(string name)
    {
        BinaryKind kind = Enum.Parse<BinaryKind>(name);
        KernelShapes.ForAllLengths((length, seed) =>
        {
            float[] left = KernelData.Normal<float>(length, seed), right = KernelData.Normal<float>(length, seed + 1);
            using KernelBuffer<float> a = new(left), b = new(right), y = new(length);
            Binary.Apply<float>(kind, a, b, y, length);
            Assert.Equal(left.Zip(right, (l, r) => BinaryReference.Apply(kind, l, r)), y.ToArray());
            Binary.ApplyScalar<float>(kind, a, 1.5f, y, length);
            Assert.Equal(left.Select(l => BinaryReference.Apply(kind, l, 1.5f)), y.ToArray());
        });
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Broadcasts_agree_with_the_reference(string name)
    {
        BinaryKind kind = Enum.Parse<BinaryKind>(name);
        KernelShapes.ForAllMatrices((rows, columns, seed) =>
        {
            double[] left = KernelData.Normal<double>(rows * columns, seed), along = KernelData.Normal<double>(columns, seed + 1);
            double[] down = KernelData.Normal<double>(rows, seed + 2);
            using KernelBuffer<double> a = new(left), row = new(along), column = new(down), y = new(left.Length);
            Binary.ApplyRow<double>(kind, a, row, y, rows, columns);
            Assert.Equal(left.Select((l, i) => BinaryReference.Apply(kind, l, along[i % columns])), y.ToArray());
            Binary.ApplyColumn<double>(kind, a, column, y, rows, columns);
            Assert.Equal(left.Select((l, i) => BinaryReference.Apply(kind, l, down[i / columns])), y.ToArray());
        });
    }

    [Fact]
    public void Linear_combinations()
    {
        KernelShapes.ForAllLengths((length, seed) =>
        {
            double[] first = KernelData.Normal<double>(length, seed), second = KernelData.Normal<double>(length, seed + 1);
            using KernelBuffer<double> x = new(first), y = new(second), z = new(length);
            LinearCombination.Add<double>(x, y, length);
            KernelData.Close<double>(y.Span, [.. first.Zip(second, (f, s) => f + s)], 1e-15);
            LinearCombination.AddScaled<double>(-3, x, y, length);
            KernelData.Close<double>(y.Span, [.. first.Zip(second, (f, s) => s - (2 * f))], 1e-14);
            LinearCombination.Combine<double>(2, x, 0.5, y, length);
            KernelData.Close<double>(y.Span, [.. first.Zip(second, (f, s) => (0.5 * s) + f)], 1e-14);
            LinearCombination.Combine<double>(2, x, 0, z, length); // z is poisoned: it must not be read
            KernelData.Close<double>(z.Span, [.. first.Select(f => 2 * f)], 1e-15);
            Binary.MultiplyAdd<double>(x, x, z, length);
            KernelData.Close<double>(z.Span, [.. first.Select(f => (2 * f) + (f * f))], 1e-14);
            LinearCombination.Fill<double>(z, 7, length);
            Assert.All(z.ToArray(), v => Assert.Equal(7, v));
        });
    }
}
