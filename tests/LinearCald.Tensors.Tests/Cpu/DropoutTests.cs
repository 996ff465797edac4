using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class DropoutTests
{
    [Fact]
    public void Agrees_with_the_reference()
    {
        KernelShapes.ForAllLengths((length, seed) =>
        {
            double p = seed % 10 / 10.0;
            float[] values = KernelData.Normal<float>(length, seed);
            double[] expected = [.. values.Select((v, i) => v * DropoutReference.Factor(p, (ulong)seed, 7, (ulong)i))];
            using KernelBuffer<float> x = new(values), y = new(length);
            DropoutKernel.Apply<float>(x, y, length, p, (ulong)seed, 7);
            KernelData.Close<float>(y.Span, expected, 1e-6);
            DropoutKernel.Apply<float>(x, x, length, p, (ulong)seed, 7);
            Assert.Equal(y.ToArray(), x.ToArray());

            using KernelBuffer<double> wide = new(KernelData.ToDouble(values));
            DropoutKernel.Apply<double>(wide, wide, length, p, (ulong)seed, 7);
            KernelData.Close<double>(wide.Span, expected, 1e-15);
        });
    }

    [Fact]
    public void Any_stretch_of_a_mask_is_that_of_the_whole()
    {
        const int Count = 700;
        DropoutMask<float> mask = new(0.3, 11, 12);
        using KernelBuffer<float> whole = new(Count);
        mask.Factors(0, whole, Count);
        for (int first = 0; first < 300; first += 13)
        {
            using KernelBuffer<float> part = new(first + 91);
            mask.Factors((ulong)first, part, first + 91);
            Assert.Equal(whole.ToArray()[first..((2 * first) + 91)], part.ToArray());
        }
    }

    [Fact]
    public void Drops_the_wanted_share_and_keeps_the_mean()
    {
        const int Count = 1_000_000;
        using KernelBuffer<float> x = new(Count);
        x.Span.Fill(1);
        DropoutKernel.Apply<float>(x, x, Count, 0.1, 3, 4);
        Assert.InRange(x.ToArray().Count(v => v == 0), 98_800, 101_200); // four standard deviations
        Assert.InRange(Reduce.Sum<float>(x, Count) / Count, 0.9985, 1.0015);
    }

    [Fact]
    public void Same_bits_on_any_thread_count()
    {
        float[] values = KernelData.Normal<float>(70_001, 5);
        KernelData.SameBitsOnAnyThreadCount(() =>
        {
            using KernelBuffer<float> x = new(values);
            DropoutKernel.Apply<float>(x, x, values.Length, 0.25, 1, 2);
            return x.ToArray();
        });
    }
}
