using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class RmsNormTests
{
    private const double Epsilon = 1e-3;

    private static Arbitrary<(RmsNormShape Shape, bool Gated, int Seed)> Cases() => (
        from rows in Gen.Frequency((5, Gen.Choose(1, 9)), (1, Gen.Choose(100, 300)))
        from groups in Gen.Choose(1, 4)
        from size in Gen.Frequency((5, Gen.Choose(1, 40)), (1, Gen.Choose(200, 700)))
        from gated in Gen.Elements(true, false)
        from seed in Gen.Choose(0, 100_000)
        select (new RmsNormShape(rows, groups, size), gated, seed)).ToArbitrary();

    [Fact]
    public void Forward_and_backward_agree_with_the_reference() => Prop.ForAll(Cases(), c =>
    {
        Check<float>(c.Shape, c.Gated, c.Seed, 3e-6);
        Check<double>(c.Shape, c.Gated, c.Seed, 1e-13);
    }).Holds(KernelShapes.Cases);

    [Fact]
    public void Same_bits_on_any_thread_count()
    {
        RmsNormShape shape = new(900, 2, 50);
        float[] values = KernelData.Normal<float>(90_000, 5);
        KernelData.SameBitsOnAnyThreadCount(() =>
        {
            using KernelBuffer<float> x = new(values), w = new(values.AsSpan(0, 100)), y = new(90_000), rstd = new(1800), dx = new(90_000), dz = new(90_000), dw = new(100);
            PitchedRows<float> rows = new(x, 100);
            RmsNorm.Forward(shape, rows, rows, w, y.Pointer, rstd, Epsilon);
            RmsNorm.Backward(shape, rows, rows, w, rstd, y, new PitchedRows<float>(dx, 100), new PitchedRows<float>(dz, 100), dw.Pointer, false);
            return (float[])[.. y.ToArray(), .. dx.ToArray(), .. dz.ToArray(), .. dw.ToArray()];
        });
    }

    private static void Check<T>(RmsNormShape shape, bool gated, int seed, double budget)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int columns = (int)shape.Columns, count = (int)shape.Rows * columns, pitch = columns + (seed % 3);
        using KernelBuffer<T> x = new(KernelData.Normal<T>((int)shape.Rows * pitch, seed)), z = new(KernelData.Normal<T>((int)shape.Rows * pitch, seed + 1));
        using KernelBuffer<T> w = new(KernelData.Normal<T>(columns, seed + 2)), gy = new(KernelData.Normal<T>(count, seed + 3));
        using KernelBuffer<T> y = new(count), rstd = new(shape.Rows * shape.Groups), dx = new(shape.Rows * pitch), dz = new(shape.Rows * pitch), dw = new(columns);
        double[] input = Packed(x), gate = gated ? Packed(z) : [], weight = KernelData.ToDouble(w.ToArray()), given = KernelData.ToDouble(gy.ToArray());
        PitchedRows<T> xs = new(x, pitch), zs = gated ? new(z, pitch) : default;
        RmsNorm.Forward(shape, xs, zs, w, y.Pointer, rstd, Epsilon);
        KernelData.Close<T>(y.Span, RmsNormReference.Forward(shape, input, gate, weight, Epsilon), budget, "y");

        (double[] ex, double[] ez, double[] ew) = RmsNormReference.Backward(shape, given, input, gate, weight, Epsilon);
        RmsNorm.Backward(shape, xs, zs, w, rstd, gy, new PitchedRows<T>(dx, pitch), gated ? new(dz, pitch) : default, dw.Pointer, false);
        double slack = Math.Sqrt(count);
        KernelData.Close<double>(Packed(dx), ex, budget, "dx", slack);
        KernelData.Close<double>(gated ? Packed(dz) : ez, ez, budget, "dz", slack);
        KernelData.Close<T>(dw.Span, ew, budget, "dw", slack);
        RmsNorm.Backward(shape, xs, zs, w, rstd, gy, default, default, dw.Pointer, true);
        KernelData.Close<T>(dw.Span, [.. ew.Select(v => 2 * v)], budget, "dw added", slack);

        double[] Packed(KernelBuffer<T> spread) =>
            [.. Enumerable.Range(0, count).Select(i => double.CreateTruncating(spread.Span[(i / columns * pitch) + (i % columns)]))];
    }
}
