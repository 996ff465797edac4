using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class GroupNormTests
{
    private const double Epsilon = 1e-3;

    private static Arbitrary<(GroupNormShape Shape, int Seed)> Cases() => (
        from batch in Gen.Choose(1, 3)
        from rows in Gen.Frequency((5, Gen.Choose(1, 30)), (1, Gen.Choose(300, 900)))
        from groups in Gen.Frequency((5, Gen.Choose(1, 6)), (1, Gen.Choose(30, 70)))
        from size in Gen.Frequency((2, Gen.Constant(1)), (3, Gen.Choose(1, 9)))
        from seed in Gen.Choose(0, 100_000)
        select (new GroupNormShape(batch, rows, groups, size), seed)).ToArbitrary();

    [Fact]
    public void Forward_and_backward_agree_with_the_reference() => Prop.ForAll(Cases(), c =>
    {
        Check<float>(c.Shape, c.Seed, 5e-6);
        Check<double>(c.Shape, c.Seed, 1e-12);
    }).Holds(KernelShapes.Cases);

    [Fact]
    public void A_mean_far_from_zero_costs_no_more_digits_than_the_input_has()
    {
        // the inputs are rounded to multiples of 2^-11 about 10000, so that float32 holds them exactly: what is left is the kernel's own error
        GroupNormShape shape = new(1, 20_000, 3, 1);
        float[] values = [.. KernelData.Normal<double>(60_000, 3).Select(v => (float)(10_000 + (Math.Round(v * 512) / 512)))];
        using KernelBuffer<float> x = new(values), y = new(values.Length), mean = new(3), rstd = new(3);
        GroupNorm.Forward<float>(shape, x, null, null, y, mean, rstd, Epsilon);
        KernelData.Close<float>(y.Span, GroupNormReference.Forward(shape, KernelData.ToDouble(values), [], [], Epsilon), 1e-3, "y");
        Assert.All(rstd.ToArray(), r => Assert.InRange(r, 0.98f, 1.02f));
    }

    [Fact]
    public void Same_bits_on_any_thread_count()
    {
        GroupNormShape shape = new(2, 3000, 6, 5);
        float[] values = KernelData.Normal<float>(180_000, 5);
        KernelData.SameBitsOnAnyThreadCount(() =>
        {
            using KernelBuffer<float> x = new(values), y = new(values.Length), mean = new(12), rstd = new(12), dx = new(values.Length), dw = new(30), db = new(30);
            GroupNorm.Forward<float>(shape, x, x, x, y, mean, rstd, Epsilon);
            GroupNormGradient.Run<float>(shape, y, x, x, mean, rstd, dx, dw, false, db, false);
            return (float[])[.. y.ToArray(), .. dx.ToArray(), .. dw.ToArray(), .. db.ToArray()];
        });
    }

    private static void Check<T>(GroupNormShape shape, int seed, double budget)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int count = shape.Batch * (int)shape.Rows * shape.Channels;
        bool affine = seed % 4 != 0;
        using KernelBuffer<T> x = new(KernelData.Normal<T>(count, seed, 2, seed % 3)), gy = new(KernelData.Normal<T>(count, seed + 1));
        using KernelBuffer<T> w = new(KernelData.Normal<T>(shape.Channels, seed + 2)), b = new(KernelData.Normal<T>(shape.Channels, seed + 3));
        using KernelBuffer<T> y = new(count), mean = new(shape.Batch * shape.Groups), rstd = new(shape.Batch * shape.Groups), dx = new(count), dw = new(shape.Channels), db = new(shape.Channels);
        T* weight = affine ? w.Pointer : null, bias = affine ? b.Pointer : null;
        double[] input = KernelData.ToDouble(x.ToArray()), given = KernelData.ToDouble(gy.ToArray()), scale = affine ? KernelData.ToDouble(w.ToArray()) : [];
        GroupNorm.Forward<T>(shape, x, weight, bias, y, mean, rstd, Epsilon);
        KernelData.Close<T>(y.Span, GroupNormReference.Forward(shape, input, scale, affine ? KernelData.ToDouble(b.ToArray()) : [], Epsilon), budget, $"y of {shape}", Math.Sqrt(count));

        (double[] ex, double[] ew, double[] eb) = GroupNormReference.Backward(shape, given, input, scale, Epsilon);
        double largest = rstd.ToArray().Max(double.CreateTruncating), terms = Math.Sqrt(count) * (1 + largest);
        GroupNormGradient.Run<T>(shape, gy, x, weight, mean, rstd, dx, dw, false, db, false);
        KernelData.Close<T>(dx.Span, ex, budget, $"dx of {shape}", terms);
        KernelData.Close<T>(dw.Span, ew, budget, $"dw of {shape}", terms);
        KernelData.Close<T>(db.Span, eb, budget, $"db of {shape}", terms);
        GroupNormGradient.Run<T>(shape, gy, x, weight, mean, rstd, null, dw, true, null, false);
        KernelData.Close<T>(dw.Span, [.. ew.Select(v => 2 * v)], budget, $"dw added for {shape}", 2 * terms);
    }
}
