using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;
using AttentionOptions = LinearCald.Tensors.Cpu.AttentionOptions;

namespace LinearCald.Tensors.Tests.Cpu;

public sealed unsafe class AttentionTests
{
    private static readonly int[] s_positions = [1, 2, 3, 5, 7, 8, 16, 17, 31, 33, 48, 64, 67];
    private static readonly int[] s_headSizes = [1, 3, 5, 8, 16, 24, 32, 33, 64];
    private static readonly WorkerPool[] s_pools = [new(1), new(2), new(3)];

    [Fact]
    public void AnyShapeMatchesTheReferenceInSingle() => Matches<float>(150, 1e-5);

    [Fact]
    public void AnyShapeMatchesTheReferenceInDouble() => Matches<double>(100, 1e-13);

    [Theory]
    [InlineData(1, 1, 300, 300, 32, true)] // runs of queries and blocks of keys
    [InlineData(1, 2, 70, 530, 5, true)]
    [InlineData(1, 2, 530, 70, 5, true)] // the first queries see no key
    [InlineData(2, 1, 1, 700, 16, false)]
    [InlineData(1, 1, 700, 1, 16, false)]
    [InlineData(4, 4, 260, 270, 3, true)]
    [InlineData(1, 2, 129, 257, 64, false)]
    public void LongShapesMatchTheReferenceAndDoNotDependOnThreads(int batch, int heads, int queries, int keys, int headSize, bool causal)
    {
        AttentionShape shape = new(batch, heads, queries, keys, headSize);
        foreach (double dropout in new[] { 0.0, 0.2 })
        {
            AttentionOptions options = new(0.3, causal, dropout, 7, 3);
            int[]? lengths = dropout == 0.0 ? null : [.. Enumerable.Range(0, batch).Select(b => Math.Max(0, keys - (b * 37)))];
            AttentionCase<float> fast = new AttentionCase<float>(shape, options, lengths, 1, 4).Run(s_pools[0]);
            Assert.True(fast.Error(fast.ToDouble().RunReference()) < 1e-5);
            Assert.True(new AttentionCase<float>(shape, options, lengths, 1, 4).Run(s_pools[1]).SameBits(fast));
            Assert.True(new AttentionCase<float>(shape, options, lengths, 1, 4).Run(s_pools[2]).SameBits(fast));
        }
    }

    [Fact]
    public void OneQueryAfterCachedKeysMatchesTheReferenceAtEveryRegisterWidth() => Prop.ForAll(
        (from plan in Plans()
         from keys in Gen.OneOf(Gen.Choose(1, 9), Gen.Choose(200, 600), Gen.Elements(255, 256, 257, 512))
         from lengths in Gen.ArrayOf(Gen.OneOf(Gen.Choose(0, keys), Gen.Constant(keys)), plan.Shape.Batch)
         select plan with { Shape = plan.Shape with { QueryLength = 1, KeyLength = keys }, Dropout = 0.0, Lengths = plan.Lengths is null ? null : lengths }).ToArbitrary(),
        plan =>
        {
            AttentionCase<double> reference = plan.Case<float>().ToDouble().RunReference();
            AttentionCase<float> one = plan.Case<float>().Run(s_pools[0]);
            return plan.Case<float>().Run<Wide512<float>>(s_pools[0]).Error(reference) < 1e-5
                && plan.Case<float>().Run<Wide256<float>>(s_pools[0]).Error(reference) < 1e-5
                && plan.Case<float>().Run<Wide128<float>>(s_pools[0]).Error(reference) < 1e-5
                && plan.Case<float>().Run<Lane<float>>(s_pools[0]).Error(reference) < 1e-5
                && plan.Case<double>().Run() is { } exact && exact.Error(exact.ToDouble().RunReference()) < 1e-13
                && plan.Case<float>().Run(s_pools[2]).SameBits(one);
        }).Holds(40);

    [Fact]
    public void TheLastQueriesAloneSeeWhatTheySeeInTheWholeText() => Prop.ForAll(
        (from length in Gen.Choose(1, 70)
         from last in Gen.Choose(1, length)
         from seed in Gen.Choose(0, 100_000)
         select (length, last, seed)).ToArbitrary(),
        c =>
        {
            const int Width = 2 * 7;
            using MemoryScope scope = MemoryScope.Begin();
            Tensor[] t = [.. Enumerable.Range(0, 3).Select(i => GradientCheck.Random((ulong)(c.seed + i), 1, c.length, Width))];
            Tensor lengths = Tensor.From(Device.Parse("cpu"), new Shape(1), [1 + (c.seed % c.length)]);
            Tensors.Ops.AttentionOptions options = new(2, Causal: true, 0.4);
            double[] whole = t[0].Attention(t[1], t[2], lengths, options).Narrow(1, c.length - c.last, c.last).Contiguous().ToArray<double>();
            double[] alone = t[0].Narrow(1, c.length - c.last, c.last).Attention(t[1], t[2], lengths, options).ToArray<double>();
            return whole.Zip(alone, (a, b) => Math.Abs(a - b)).Max() < 1e-12;
        }).Holds(60);

    [Fact]
    public void EveryRegisterWidthMatchesTheReference() => Prop.ForAll(
        Plans().ToArbitrary(),
        plan =>
        {
            AttentionCase<double> reference = plan.Case<float>().ToDouble().RunReference();
            return plan.Case<float>().Run<Wide512<float>>(s_pools[0]).Error(reference) < 1e-5
                && plan.Case<float>().Run<Wide256<float>>(s_pools[0]).Error(reference) < 1e-5
                && plan.Case<float>().Run<Wide128<float>>(s_pools[0]).Error(reference) < 1e-5
                && plan.Case<float>().Run<Lane<float>>(s_pools[0]).Error(reference) < 1e-5;
        }).Holds(25);

    [Fact]
    public void TheNumberOfThreadsDoesNotChangeABit() => Prop.ForAll(
        Plans().ToArbitrary(),
        plan =>
        {
            AttentionCase<float> one = plan.Case<float>().Run(s_pools[0]);
            return plan.Case<float>().Run(s_pools[1]).SameBits(one) && plan.Case<float>().Run(s_pools[2]).SameBits(one);
        }).Holds(60);

    [Fact]
    public void PermutingTheBatchPermutesTheOutputsBitForBit() => Prop.ForAll(
        Plans().ToArbitrary(),
        plan =>
        {
            AttentionCase<float> straight = (plan with { Dropout = 0.0 }).Case<float>();
            int[] order = [.. Enumerable.Range(0, plan.Shape.Batch)];
            new System.Random(plan.Seed).Shuffle(order);
            AttentionCase<float> permuted = new(straight.Shape, straight.Options, straight.Lengths is null ? null : [.. order.Select(b => straight.Lengths[b])], 0, plan.Gap);
            foreach ((AttentionGrid<float> from, AttentionGrid<float> to) in new[] { (straight.Q, permuted.Q), (straight.K, permuted.K), (straight.V, permuted.V), (straight.G, permuted.G) })
            {
                to.TakePermutation(from, order);
            }

            straight.Run();
            permuted.Run();
            return straight.Outputs.Zip(permuted.Outputs).All(pair => pair.Second.IsPermutationOf(pair.First, order));
        }).Holds(60);

    [Fact]
    public void GradientsMatchCentralDifferences()
    {
        foreach ((bool causal, double dropout, int[]? lengths) in new (bool, double, int[]?)[] { (false, 0.0, null), (true, 0.0, [5, 3]), (false, 0.4, [6, 1]), (true, 0.3, null) })
        {
            AttentionShape shape = new(2, 2, 4, 6, 3);
            AttentionCase<double> c = new AttentionCase<double>(shape, new(0.7, causal, dropout, 11, 5), lengths, 3, 2).Run();
            CheckGradient(c, c.Q, c.Dq);
            CheckGradient(c, c.K, c.Dk);
            CheckGradient(c, c.V, c.Dv);
        }
    }

    [Fact]
    public void ASampleOfLengthZeroGivesZerosAndPassesNoGradient()
    {
        AttentionCase<float> c = new AttentionCase<float>(new(2, 2, 9, 9, 5), new(0.5), [0, 9], 1, 2).Run();
        for (int i = 0; i < c.Output.Count / 2; i++)
        {
            Assert.Equal((0f, 0f, 0f, 0f), (c.Output[i], c.Dq[i], c.Dk[i], c.Dv[i]));
        }

        Assert.All(Enumerable.Range(0, 18), i => Assert.Equal(float.NegativeInfinity, c.Lse[i]));
        Assert.All(Enumerable.Range(18, 18), i => Assert.True(float.IsFinite(c.Lse[i])));
    }

    [Fact]
    public void DropoutKeepsItsShareAndItsMean()
    {
        // Scores are equal and values are 1, so an output is the sum of the kept probabilities: 1 on average.
        const int Keys = 64;
        AttentionShape shape = new(4, 2, 100, Keys, 8);
        AttentionCase<float> c = new(shape, new(0.0, false, 0.25, 99, 1), null, 1, 0);
        for (int i = 0; i < c.V.Count; i++)
        {
            c.V[i] = 1f;
        }

        c.Run();
        double mean = Enumerable.Range(0, c.Output.Count).Average(i => (double)c.Output[i]);
        Assert.InRange(mean, 0.99, 1.01); // standard deviation of the mean: 0.0026
        double keptOfRow = c.Output[0] * 0.75 * Keys;
        Assert.Equal(Math.Round(keptOfRow), keptOfRow, 1e-3);
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    public void ImpossibleDropoutIsRefused(double dropout) =>
        Assert.Contains("dropout", Assert.Throws<CaldException>(() => new AttentionCase<float>(new(1, 1, 2, 2, 2), new(1.0, false, dropout), null, 1, 0).Run()).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    public void ALengthOutsideTheBufferIsRefused(int length) =>
        Assert.Contains("sample 1", Assert.Throws<CaldException>(() => new AttentionCase<float>(new(2, 1, 2, 2, 2), new(1.0), [2, length], 1, 0).Run()).Message, StringComparison.Ordinal);

    [Fact]
    public void AWarmCallAllocatesNothing()
    {
        AttentionCase<float> c = new AttentionCase<float>(new(4, 2, 40, 40, 16), new(0.25, false, 0.1, 1, 1), [40, 3, 20, 0], 1, 0);
        c.Run(s_pools[0]).Run(s_pools[0]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        c.Run(s_pools[0]);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Matches<T>(int tests, double budget)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Prop.ForAll(
            Plans().ToArbitrary(),
            plan =>
            {
                AttentionCase<T> fast = plan.Case<T>().Run();
                return fast.Error(fast.ToDouble().RunReference()) < budget;
            }).Holds(tests);

    private static void CheckGradient(AttentionCase<double> c, AttentionGrid<double> input, AttentionGrid<double> gradient)
    {
        const double Step = 1e-5;
        AttentionGrid<double> numeric = input.ToDouble();
        for (int i = 0; i < input.Count; i++)
        {
            double x = input[i];
            input[i] = x + Step;
            double above = Objective(c);
            input[i] = x - Step;
            double below = Objective(c);
            input[i] = x;
            numeric[i] = (above - below) / (2.0 * Step);
        }

        Assert.True(AttentionGrid<double>.Error((gradient, numeric)) < 1e-8);
    }

    private static double Objective(AttentionCase<double> c)
    {
        AttentionCase<double> probe = new(c.Shape, c.Options, c.Lengths, 0, 1) { Q = c.Q, K = c.K, V = c.V, G = c.G };
        probe.Run();
        return Enumerable.Range(0, c.G.Count).Sum(i => c.G[i] * probe.Output[i]);
    }

    private static Gen<Plan> Plans() =>
        from batch in Gen.Choose(1, 4)
        from heads in Gen.Choose(1, 3)
        from queries in Gen.Elements(s_positions)
        from same in Gen.Elements(true, true, false)
        from keys in same ? Gen.Constant(queries) : Gen.Elements(s_positions)
        from headSize in Gen.Elements(s_headSizes)
        from causal in Gen.Elements(false, false, true)
        from dropout in Gen.Elements(0.0, 0.0, 0.1, 0.5)
        from withLengths in Gen.Elements(true, true, false)
        from lengths in Gen.ArrayOf(Gen.OneOf(Gen.Choose(0, keys), Gen.Elements(0, 1, keys)), batch)
        from gap in Gen.Choose(0, 9)
        from seed in Gen.Choose(0, 100_000)
        select new Plan(new(batch, heads, queries, keys, headSize), causal, dropout, withLengths ? lengths : null, gap, seed);

    private sealed record Plan(AttentionShape Shape, bool Causal, double Dropout, int[]? Lengths, int Gap, int Seed)
    {
        public AttentionCase<T> Case<T>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
            new(Shape, new AttentionOptions(1.0 / Math.Sqrt(Shape.HeadSize), Causal, Dropout, (ulong)Seed, 3), Lengths, Seed, Gap);
    }
}
