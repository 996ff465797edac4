using FsCheck;
using FsCheck.Fluent;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class RotaryTests
{
    private static Arbitrary<(RotaryShape Shape, int Seed)> Cases() => (
        from batch in Gen.Choose(1, 3)
        from length in Gen.Choose(1, 9)
        from heads in Gen.Choose(1, 4)
        from half in Gen.Frequency((3, Gen.Choose(0, 9)), (1, Gen.Choose(16, 33)))
        from rest in Gen.Choose(half == 0 ? 1 : 0, 11)
        from first in Gen.Elements(0, 0, 1, 17, 131_072)
        from seed in Gen.Choose(0, 100_000)
        select (new RotaryShape(batch, length, heads, (2 * half) + rest, 2 * half, 10_000, first), seed)).ToArbitrary();

    [Fact]
    public void Splits_and_joins_like_the_reference() => Prop.ForAll(Cases(), x =>
    {
        RotaryShape shape = x.Shape;
        int count = (int)(3 * shape.Batch * shape.Length * shape.Features);
        using KernelBuffer<float> single = new(KernelData.Normal<float>(count, x.Seed)), y = new(count), back = new(count);
        using KernelBuffer<double> wide = new(KernelData.Normal<double>(count, x.Seed)), z = new(count), g = new(count);
        Rotary.Split<float>(shape, single, y);
        KernelData.Close<float>(y.Span, RotaryReference.Split<float>(shape, single), 3e-7, $"split {shape}");
        Rotary.Join<float>(shape, y, back);
        KernelData.Close<float>(back.Span, KernelData.ToDouble(single.ToArray()), 5e-7, $"there and back {shape}");
        Rotary.Split<double>(shape, wide, z);
        KernelData.Close<double>(z.Span, RotaryReference.Split<double>(shape, wide), 1e-14, $"split {shape}");
        Rotary.Join<double>(shape, wide, g);
        KernelData.Close<double>(g.Span, RotaryReference.Join<double>(shape, wide), 1e-14, $"join {shape}");
    }).Holds(KernelShapes.Cases);
}
