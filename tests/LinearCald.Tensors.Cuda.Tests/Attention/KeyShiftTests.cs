using FsCheck;
using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda.Tests.Attention;

/// <summary>
/// A softmax does not see what is added to all keys, so their gradients sum to zero. The rounding of y must not show there: it is as large as y, and where values share a
/// large part (a bias, say) y is much larger than what the gradients of scores are made of.
/// </summary>
public sealed class KeyShiftTests
{
    private const float Shared = 4;

    [Theory]
    [InlineData("BFloat16", 1 / 256.0)]
    [InlineData("Half", 1 / 2048.0)]
    public void GradientsOfKeysSumToZero(string precision, double roundingUnit)
    {
        GemmPrecision products = Enum.Parse<GemmPrecision>(precision);
        using DebugAccelerator device = new();
        Gen<(AttentionProblem Problem, int Seen, int Seed)> cases =
            from queries in Gen.Choose(20, 90)
            from keys in Gen.Choose(20, 90)
            from head in Gen.Elements(16, 32)
            from dropout in Gen.Elements(0.0, 0.2)
            from seen in Gen.Choose(8, keys)
            from seed in Gen.Choose(0, int.MaxValue)
            select (new AttentionProblem(products, 1, 2, queries, keys, head, 1 / Math.Sqrt(head), Causal: false, dropout), seen, seed);
        Prop.ForAll(cases.ToArbitrary(), c => Check(device, c.Problem, c.Seen, c.Seed, roundingUnit)).Holds(4);
    }

    private static void Check(Accelerator device, AttentionProblem problem, int seen, int seed, double roundingUnit)
    {
        using AttentionData<ushort> data = new(device, problem.Precision, seed);
        problem = problem with { Key = new DeviceRandomKey(new RandomKey((ulong)seed, 7), data.Copy<ulong>([5]).ReadOnly) };
        int queries = problem.QueryLength * problem.Width, keys = problem.KeyLength * problem.Width;
        ReadOnlyView<ushort> q = data.Numbers(queries, 2).Device.ReadOnly, k = data.Numbers(keys, 2).Device.ReadOnly, gy = data.Numbers(queries, 1).Device.ReadOnly;
        ReadOnlyView<ushort> v = data.Numbers(keys, 1, Shared).Device.ReadOnly;
        ReadOnlyView<int> lengths = data.Copy<int>([seen]).ReadOnly;
        DeviceBuffer<ushort> y = data.Fresh<ushort>(queries), gq = data.Fresh<ushort>(queries), gk = data.Fresh<ushort>(keys), gv = data.Fresh<ushort>(keys);
        DeviceBuffer<float> lse = data.Fresh<float>(problem.Heads * problem.QueryLength);
        AttentionLauncher.Forward(device, problem, q, k, v, lengths, y.View, lse.View);
        AttentionLauncher.Backward(device, problem, q, k, v, lengths, y.ReadOnly, lse.ReadOnly, gy, gq.View, gk.View, gv.View);

        double[] gradient = data.Read(gk), sums = new double[problem.Width];
        for (int i = 0; i < keys; i++)
        {
            sums[i % problem.Width] += gradient[i];
        }

        // left is what rounding the gradients of scores, and gk itself, does: independent from key to key
        double sum = Math.Sqrt(sums.Sum(x => x * x)), size = Math.Sqrt(gradient.Sum(x => x * x));
        Assert.True(sum <= 2 * roundingUnit * size, $"gradients of keys of size {size:E2} sum to {sum:E2}");
    }
}
