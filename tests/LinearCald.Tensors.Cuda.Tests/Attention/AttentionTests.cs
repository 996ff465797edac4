using FsCheck;
using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Cuda.Tests.Elementwise;

namespace LinearCald.Tensors.Cuda.Tests.Attention;

/// <summary>Softmax attention against the CPU's plain twin.</summary>
public sealed class AttentionTests
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
        Gen<(AttentionProblem Problem, RandomKey Key, int[]? Lengths, int Seed)> cases =
            from batch in Gen.Choose(1, 2)
            from heads in Gen.Choose(1, 2)
            from queries in Gen.OneOf(Gen.Constant(1), Gen.Choose(2, slow ? 24 : 90))
            from keys in Gen.OneOf(Gen.Constant(1), Gen.Constant(64), Gen.Choose(2, slow ? 40 : 140))
            from head in Gen.Elements(8, 16, 24, 32, 5)
            from causal in Gen.Elements(false, true)
            from dropout in Gen.Elements(0.0, 0.0, 0.3)
            from limited in Gen.Elements(false, true)
            from lengths in Gen.Choose(0, keys).ArrayOf(batch)
            from seed in Gen.Choose(0, int.MaxValue)
            select (
                new AttentionProblem(products, batch, heads, queries, keys, head, 1 / Math.Sqrt(head), causal, dropout),
                new RandomKey((ulong)seed * 0x9E3779B97F4A7C15, (ulong)seed),
                limited ? lengths : null,
                seed);
        Prop.ForAll(cases.ToArbitrary(), c => AttentionComparison.Run(device, c.Problem, c.Key, c.Lengths, c.Seed)).Holds(slow ? 2 : 6);
    }

    [Theory]
    [InlineData("Float32", 64)]
    [InlineData("Float32", 136)]
    [InlineData("TensorFloat32", 88)]
    [InlineData("TensorFloat32", 128)]
    [InlineData("BFloat16", 64)]
    [InlineData("BFloat16", 120)]
    [InlineData("Half", 80)]
    [InlineData("BFloat16", 256)]
    public void HeadSizes(string precision, int head)
    {
        using Accelerator device = TestAccelerators.Open("emulator");
        AttentionProblem problem = new(Enum.Parse<GemmPrecision>(precision), 1, 1, 66, 67, head, 1 / Math.Sqrt(head), Causal: true, Dropout: 0.2);
        AttentionComparison.Run(device, problem, new RandomKey(3, 5), [65], head);
    }

    [Theory]
    [InlineData("BFloat16", 64, 0x1000, true, true)]
    [InlineData("BFloat16", 60, 0x1000, false, true)]
    [InlineData("BFloat16", 64, 0x1008, false, true)]
    [InlineData("BFloat16", 64, 0x1002, false, false)]
    [InlineData("Float32", 12, 0x1000, true, true)]
    [InlineData("Float32", 64, 0x1004, false, false)]
    [InlineData("Float32", 7, 0x1000, false, false)]
    public void AccessesAreAsWideAsHeadsAndAddressesAllow(string precision, int head, int address, bool vectors, bool pairs)
    {
        AttentionTraits traits = new AttentionProblem(Enum.Parse<GemmPrecision>(precision), 1, 1, 1, 1, head, 1).Traits(false, address);
        Assert.Equal((vectors, pairs), (traits.Vectors, traits.Pairs));
    }

    [Fact]
    public void ScalesThatAreNotAboveZeroAreRefused()
    {
        using DebugAccelerator device = new();
        AttentionProblem problem = new(GemmPrecision.Float32, 1, 1, 1, 1, 8, 0);
        CaldException error = Assert.Throws<CaldException>(() => AttentionComparison.Run(device, problem, default, null, 1));
        Assert.Contains("scale 0", error.Message, StringComparison.Ordinal);
    }
}
