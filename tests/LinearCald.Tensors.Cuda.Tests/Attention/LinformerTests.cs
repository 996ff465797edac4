using FsCheck;
using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Cuda.Tests.Elementwise;

namespace LinearCald.Tensors.Cuda.Tests.Attention;

/// <summary>Linformer attention against the CPU's plain twin.</summary>
public sealed class LinformerTests
{
    public static TheoryData<string, string> DevicesAndPrecisions
    {
        get
        {
            TheoryData<string, string> data = [];
            foreach (string precision in AttentionComparison.Precisions.Select(p => p.ToString()))
            {
                data.Add("debug", precision);
                data.Add("emulator", precision);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(DevicesAndPrecisions))]
    public void RandomShapes(string name, string precision)
    {
        using Accelerator device = TestAccelerators.Open(name);
        GemmPrecision products = Enum.Parse<GemmPrecision>(precision);
        bool slow = TestAccelerators.IsSlow(name);
        Gen<(LinformerProblem Problem, RandomKey Key, int[]? Lengths, bool Shared, bool Accumulate, int Seed)> cases =
            from batch in Gen.Choose(1, slow ? 2 : 3)
            from heads in Gen.Choose(1, slow ? 1 : 2)
            from length in Gen.OneOf(Gen.Constant(1), Gen.Choose(2, slow ? 18 : 70))
            from more in Gen.Elements(0, 9)
            from rank in Gen.Elements(1, 6, 16, slow ? 17 : 64)
            from head in Gen.Elements(8, 16, 5)
            from dropout in Gen.Elements(0.0, 0.3)
            from limited in Gen.Elements(false, true)
            from lengths in Gen.Choose(0, length).ArrayOf(batch)
            from shared in Gen.Elements(false, true)
            from accumulate in Gen.Elements(false, true)
            from seed in Gen.Choose(0, int.MaxValue)
            select (
                new LinformerProblem(products, batch, heads, length, head, rank, length + more, 1 / Math.Sqrt(head), dropout),
                new RandomKey((ulong)seed, 77),
                limited ? lengths : null,
                shared,
                accumulate,
                seed);
        Prop.ForAll(cases.ToArbitrary(), c => LinformerComparison.Run(device, c.Problem, c.Key, c.Lengths, c.Shared, c.Accumulate, c.Seed)).Holds(slow ? 2 : 6);
    }

    [Fact]
    public void TextsLongerThanTheProjectionAreRefused()
    {
        using DebugAccelerator device = new();
        LinformerProblem problem = new(GemmPrecision.Float32, 1, 1, 9, 8, 4, 8, 1);
        CaldException error = Assert.Throws<CaldException>(() => LinformerComparison.Run(device, problem, default, null, false, false, 1));
        Assert.Contains("9 positions", error.Message, StringComparison.Ordinal);
    }
}
