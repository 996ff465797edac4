using FsCheck;
using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda.Tests.Attention;

/// <summary>
/// The rounding of y must not show in the gradients of scores: it is as large as y, and where values share a large part (a bias, say) y is much larger than what those
/// gradients are made of.
/// </summary>
public sealed unsafe class ScoreGradientTests
{
    private const double Shared = 4;

    /// <summary>A softmax does not see what is added to all keys.</summary>
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
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            double[] gradient = new Pass(device, c.Problem, c.Seen, 2, c.Seed).KeyGradient, sums = new double[c.Problem.Width];
            for (int i = 0; i < gradient.Length; i++)
            {
                sums[i % sums.Length] += gradient[i];
            }

            // left is what rounding the gradients of scores, and those of keys, does: independent from key to key
            double sum = Math.Sqrt(sums.Sum(x => x * x)), size = Math.Sqrt(gradient.Sum(x => x * x));
            Assert.True(sum <= 2 * roundingUnit * size, $"gradients of keys of size {size:E2} sum to {sum:E2}");
        }).Holds(4);
    }

    /// <summary>Queries of 0, whose probabilities are all the same: then nothing but the gradients of scores is rounded on the way to those of queries.</summary>
    [Theory]
    [InlineData("BFloat16", 1 / 256.0)]
    [InlineData("Half", 1 / 2048.0)]
    public void GradientsOfQueriesAreAsExactAsThoseOfScores(string precision, double roundingUnit)
    {
        GemmPrecision products = Enum.Parse<GemmPrecision>(precision);
        using DebugAccelerator device = new();
        Gen<(AttentionProblem Problem, int Seen, int Seed)> cases =
            from queries in Gen.Choose(20, 90)
            from keys in Gen.Choose(20, 90)
            from head in Gen.Elements(16, 32)
            from seen in Gen.Choose(8, keys)
            from seed in Gen.Choose(0, int.MaxValue)
            select (new AttentionProblem(products, 1, 2, queries, keys, head, 1 / Math.Sqrt(head)), seen, seed);
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            Pass pass = new(device, c.Problem, c.Seen, 0, c.Seed);
            double error = Math.Sqrt(pass.QueryGradient.Zip(pass.QueryReference, (x, r) => (x - r) * (x - r)).Sum()), size = Math.Sqrt(pass.QueryReference.Sum(r => r * r));
            Assert.True(error <= roundingUnit * size, $"gradients of queries of size {size:E2} have an error of {error:E2}");
        }).Holds(4);
    }

    /// <summary>A forward and a backward pass over keys and values that share a large part.</summary>
    private sealed class Pass
    {
        public Pass(Accelerator device, AttentionProblem problem, int seen, double querySize, int seed)
        {
            using AttentionData<ushort> data = new(device, problem.Precision, seed);
            RandomKey key = new((ulong)seed, 12);
            problem = problem with { Key = new DeviceRandomKey(key with { Stream = 7 }, data.Copy<ulong>([5]).ReadOnly) };
            int queries = problem.QueryLength * problem.Width, keys = problem.KeyLength * problem.Width;
            (DeviceBuffer<ushort> q, double[] hq) = data.Numbers(queries, querySize);
            (DeviceBuffer<ushort> k, double[] hk) = data.Numbers(keys, 2, 0.5);
            (DeviceBuffer<ushort> v, double[] hv) = data.Numbers(keys, 1, Shared);
            (DeviceBuffer<ushort> g, double[] hg) = data.Numbers(queries, 1);
            ReadOnlyView<int> lengths = data.Copy<int>([seen]).ReadOnly;
            DeviceBuffer<ushort> y = data.Fresh<ushort>(queries), rest = data.Fresh<ushort>(queries), gq = data.Fresh<ushort>(queries), gk = data.Fresh<ushort>(keys), gv = data.Fresh<ushort>(keys);
            DeviceBuffer<float> lse = data.Fresh<float>(problem.Heads * problem.QueryLength);
            AttentionLauncher.Forward(device, problem, q.ReadOnly, k.ReadOnly, v.ReadOnly, lengths, y.View, lse.View, rest.View);
            AttentionLauncher.Backward(
                device, problem, q.ReadOnly, k.ReadOnly, v.ReadOnly, lengths, y.ReadOnly, lse.ReadOnly, g.ReadOnly, gq.View, gk.View, gv.View, rest.ReadOnly);
            (KeyGradient, QueryGradient, QueryReference) = (data.Read(gk), data.Read(gq), new double[queries]);

            double[] ry = new double[queries], rlse = new double[problem.Heads * problem.QueryLength], rk = new double[keys], rv = new double[keys];
            AttentionShape shape = new(1, problem.Heads, problem.QueryLength, problem.KeyLength, problem.HeadSize);
            AttentionOptions options = new(problem.Scale, problem.Causal, problem.Dropout, key.Seed, key.Stream);
            int width = problem.Width;
            fixed (double* pq = hq, pk = hk, pv = hv, pg = hg, py = ry, pl = rlse, dq = QueryReference, dk = rk, dv = rv)
            {
                AttentionReference.Forward<double>(shape, options, new(pq, width), new(pk, width), new(pv, width), &seen, new(py, width), pl);
                AttentionReference.Backward<double>(shape, options, new(pq, width), new(pk, width), new(pv, width), &seen, new(py, width), pl, new(pg, width), new(dq, width), new(dk, width), new(dv, width));
            }
        }

        public double[] KeyGradient { get; }

        public double[] QueryGradient { get; }

        public double[] QueryReference { get; }
    }
}
