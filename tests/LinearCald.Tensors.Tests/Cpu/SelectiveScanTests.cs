using FsCheck;
using FsCheck.Fluent;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public class SelectiveScanTests
{
    private static Arbitrary<(int B, int L, int D, int N, int Parts, int Seed)> Cases() => (
        from b in Gen.Choose(0, 3)
        from l in Gen.Frequency((2, Gen.Constant(1)), (5, Gen.Choose(0, 40)), (2, Gen.Choose(60, 130)))
        from d in Gen.Frequency((3, Gen.Choose(1, 20)), (1, Gen.Choose(60, 150)))
        from n in Gen.Frequency((3, Gen.Constant(16)), (2, Gen.Choose(1, 19)))
        from parts in Gen.Choose(0, 127)
        from seed in Gen.Choose(0, 1_000_000)
        select (b, l, d, n, parts, seed)).ToArbitrary();

    [Fact]
    public void Forward_and_backward_agree_with_the_reference()
    {
        Prop.ForAll(Cases(), x =>
        {
            using SelectiveScanCase<double> wide = new(x.B, x.L, x.D, x.N, x.Parts, x.Seed);
            wide.Check(1e-12);
            using SelectiveScanCase<float> narrow = new(x.B, x.L, x.D, x.N, x.Parts, x.Seed);
            narrow.Check(1e-5);
        }).Holds(KernelShapes.Cases);
    }

    [Fact]
    public void Same_bits_on_any_number_of_threads() => KernelData.SameBitsOnAnyThreadCount<double>(() =>
    {
        using SelectiveScanCase<float> scan = new(3, 70, 150, 16, 127, 5);
        return [.. scan.Gradients(reference: false).SelectMany(g => g)];
    });
}
