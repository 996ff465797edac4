using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

public sealed unsafe class LinformerAttentionTests
{
    private static readonly int[] s_lengths = [1, 2, 3, 5, 8, 17, 31, 48, 65];
    private static readonly int[] s_ranks = [1, 2, 5, 8, 15, 32, 33, 80];
    private static readonly int[] s_headSizes = [1, 3, 5, 8, 16, 32, 64];
    private static readonly WorkerPool[] s_pools = [new(1), new(2), new(3)];

    [Fact]
    public void AnyShapeMatchesTheReferenceInSingle() => Matches<float>(120, 1e-5);

    [Fact]
    public void AnyShapeMatchesTheReferenceInDouble() => Matches<double>(80, 1e-13);

    [Theory]
    [InlineData(1, 2, 700, 16, 130)]
    [InlineData(2, 1, 300, 5, 300)]
    [InlineData(3, 1, 1100, 4, 20)] // chunks of positions, not all of them used
    [InlineData(9, 2, 140, 12, 64)]
    [InlineData(3, 1, 40, 32, 270)]
    public void LongShapesMatchTheReferenceAndDoNotDependOnThreads(int batch, int heads, int length, int headSize, int rank)
    {
        LinformerShape shape = new(batch, heads, length, headSize, rank, length + 11);
        int[] lengths = [.. Enumerable.Range(0, batch).Select(b => b == 1 && length > 1000 ? 0 : Math.Max(1, length - (b * 37 % length) - (b == 2 ? 550 : 0)))];
        AttentionOptions options = new(0.2, Dropout: 0.1, Seed: 5, Stream: 1);
        LinformerAttentionCase<float> one = new LinformerAttentionCase<float>(shape, options, lengths, false, false, 1, 3).Run(s_pools[0]);
        Assert.True(one.Error(one.ToDouble().RunReference()) < 1e-5);
        Assert.True(new LinformerAttentionCase<float>(shape, options, lengths, false, false, 1, 3).Run(s_pools[1]).SameBits(one));
        Assert.True(new LinformerAttentionCase<float>(shape, options, lengths, false, false, 1, 3).Run(s_pools[2]).SameBits(one));
    }

    [Fact]
    public void TheNumberOfThreadsDoesNotChangeABit() => Prop.ForAll(
        Plans().ToArbitrary(),
        plan =>
        {
            LinformerAttentionCase<float> one = plan.Case<float>().Run(s_pools[0]);
            return plan.Case<float>().Run(s_pools[1]).SameBits(one) && plan.Case<float>().Run(s_pools[2]).SameBits(one);
        }).Holds(60);

    /// <summary>
    /// With a projection that is √n times a permutation, a slot is exactly one position: softmax over slots is softmax over positions, and
    /// the output is that of attention. (Softmax is not invariant under other rotations, so permutations are the square orthonormal
    /// projections for which the two agree.) Positions from n on have no slot, as they are hidden in attention.
    /// </summary>
    [Fact]
    public void WithASquareOrthonormalPermutationItEqualsAttention() => Prop.ForAll(
        Plans().ToArbitrary(),
        plan =>
        {
            LinformerShape wide = plan.Shape with { Batch = 1, Rank = plan.Shape.Length, Positions = plan.Shape.Length };
            System.Random random = new(plan.Seed);
            LinformerAttentionCase<float> linformer = new(wide, plan.Options with { Dropout = 0.0 }, null, true, false, plan.Seed, plan.Gap);
            int[] slots = [.. Enumerable.Range(0, wide.Length)];
            random.Shuffle(slots);
            for (int t = 0; t < wide.Length; t++)
            {
                for (int s = 0; s < wide.Rank; s++)
                {
                    linformer.E[(t * wide.Rank) + s] = slots[t] == s ? MathF.Sqrt(wide.Length) : 0f;
                }
            }

            AttentionCase<float> attention = new(new(1, wide.Heads, wide.Length, wide.Length, wide.HeadSize), linformer.Options, null, 0, plan.Gap)
            {
                Q = linformer.Q,
                K = linformer.K,
                V = linformer.V,
                G = linformer.G,
            };
            linformer.Run();
            attention.Run();
            return AttentionGrid<float>.Error((linformer.Output, attention.Output.ToDouble())) < 1e-5
                && AttentionGrid<float>.Error((linformer.Lse, attention.Lse.ToDouble())) < 1e-5
                && AttentionGrid<float>.Error((linformer.Dq, attention.Dq.ToDouble()), (linformer.Dk, attention.Dk.ToDouble()), (linformer.Dv, attention.Dv.ToDouble())) < 1e-5;
        }).Holds(60);

    [Fact]
    public void PermutingTheBatchPermutesTheOutputsBitForBit() => Prop.ForAll(
        Plans().ToArbitrary(),
        plan =>
        {
            LinformerAttentionCase<float> straight = (plan with { Dropout = 0.0 }).Case<float>();
            int[] order = [.. Enumerable.Range(0, plan.Shape.Batch)];
            new System.Random(plan.Seed).Shuffle(order);
            LinformerAttentionCase<float> permuted = new(
                straight.Shape, straight.Options, straight.Lengths is null ? null : [.. order.Select(b => straight.Lengths[b])], straight.Shared, false, 0, plan.Gap)
            {
                E = straight.E,
                F = straight.F,
            };
            foreach ((AttentionGrid<float> from, AttentionGrid<float> to) in new[] { (straight.Q, permuted.Q), (straight.K, permuted.K), (straight.V, permuted.V), (straight.G, permuted.G) })
            {
                to.TakePermutation(from, order);
            }

            straight.Run();
            permuted.Run();
            return straight.Outputs.Take(7).Zip(permuted.Outputs).All(pair => pair.Second.IsPermutationOf(pair.First, order));
        }).Holds(60);

    [Fact]
    public void GradientsMatchCentralDifferences()
    {
        foreach ((int rank, double dropout, bool shared, int[]? lengths) in new (int, double, bool, int[]?)[] { (3, 0.0, false, null), (7, 0.3, false, [5, 2]), (2, 0.0, true, [1, 4]), (5, 0.4, true, null) })
        {
            LinformerShape shape = new(2, 2, 5, 3, rank, 6);
            LinformerAttentionCase<double> c = new LinformerAttentionCase<double>(shape, new(0.7, Dropout: dropout, Seed: 11, Stream: 5), lengths, shared, false, 3, 2).Run();
            CheckGradient(c, c.Q, c.Dq);
            CheckGradient(c, c.K, c.Dk);
            CheckGradient(c, c.V, c.Dv);
            CheckGradient(c, c.E, c.De);
            CheckGradient(c, c.F, c.Df);
        }
    }

    [Fact]
    public void ASampleOfLengthZeroGivesZerosAndPassesNoGradient()
    {
        LinformerAttentionCase<float> c = new LinformerAttentionCase<float>(new(2, 2, 9, 5, 4, 12), new(0.5), [0, 6], false, false, 1, 2).Run();
        for (int i = 0; i < c.Output.Count / 2; i++)
        {
            Assert.Equal((0f, 0f, 0f, 0f), (c.Output[i], c.Dq[i], c.Dk[i], c.Dv[i]));
        }
    }

    [Fact]
    public void PositionsThatNoSampleReachesGetNoGradient()
    {
        LinformerShape shape = new(2, 1, 9, 4, 3, 20);
        LinformerAttentionCase<float> fresh = new LinformerAttentionCase<float>(shape, new(0.5), [4, 6], false, false, 1, 0).Run();
        LinformerAttentionCase<float> added = new LinformerAttentionCase<float>(shape, new(0.5), [4, 6], false, true, 1, 0).Run();
        for (int i = 0; i < fresh.De.Count; i++)
        {
            Assert.Equal(i >= 6 * shape.Rank, fresh.De[i] == 0f && fresh.Df[i] == 0f);
            Assert.Equal((i % 10) + fresh.De[i], added.De[i], 1e-5f);
            Assert.Equal((i % 10) + fresh.Df[i], added.Df[i], 1e-5f);
        }
    }

    [Fact]
    public void TextsLongerThanTheProjectionAreRefused()
    {
        CaldException e = Assert.Throws<CaldException>(() => new LinformerAttentionCase<float>(new(1, 1, 9, 4, 3, 8), new(0.5), null, false, false, 1, 0).Run());
        Assert.Contains("9 positions", e.Message, StringComparison.Ordinal);
        Assert.Contains("8 rows", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CausalOrderIsRefused() => Assert.Contains(
        "causal",
        Assert.Throws<CaldException>(() => new LinformerAttentionCase<float>(new(1, 1, 4, 4, 3, 8), new(0.5, true), null, false, false, 1, 0).Run()).Message,
        StringComparison.Ordinal);

    [Fact]
    public void AWarmCallAllocatesNothing()
    {
        LinformerAttentionCase<float> c = new(new(4, 2, 40, 16, 8, 48), new(0.25, Dropout: 0.1), [40, 3, 20, 0], false, false, 1, 0);
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
                LinformerAttentionCase<T> fast = plan.Case<T>().Run();
                return fast.Error(fast.ToDouble().RunReference()) < budget;
            }).Holds(tests);

    private static void CheckGradient(LinformerAttentionCase<double> c, AttentionGrid<double> input, AttentionGrid<double> gradient)
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

    private static double Objective(LinformerAttentionCase<double> c)
    {
        LinformerAttentionCase<double> probe = new(c.Shape, c.Options, c.Lengths, c.Shared, false, 0, 1) { Q = c.Q, K = c.K, V = c.V, G = c.G, E = c.E, F = c.F };
        probe.Run();
        return Enumerable.Range(0, c.G.Count).Sum(i => c.G[i] * probe.Output[i]);
    }

    private static Gen<Plan> Plans() =>
        from batch in Gen.Choose(1, 10)
        from heads in Gen.Choose(1, 3)
        from length in Gen.Elements(s_lengths)
        from headSize in Gen.Elements(s_headSizes)
        from rank in Gen.Elements(s_ranks)
        from spare in Gen.Choose(0, 40)
        from dropout in Gen.Elements(0.0, 0.0, 0.1, 0.5)
        from withLengths in Gen.Elements(true, true, false)
        from lengths in Gen.ArrayOf(Gen.OneOf(Gen.Choose(0, length), Gen.Elements(0, 1, length)), batch)
        from shared in Gen.Elements(false, true)
        from accumulate in Gen.Elements(false, true)
        from gap in Gen.Choose(0, 9)
        from seed in Gen.Choose(0, 100_000)
        select new Plan(new(batch, heads, length, headSize, rank, length + spare), dropout, withLengths ? lengths : null, shared, accumulate, gap, seed);

    private sealed record Plan(LinformerShape Shape, double Dropout, int[]? Lengths, bool Shared, bool Accumulate, int Gap, int Seed)
    {
        public AttentionOptions Options => new(1.0 / Math.Sqrt(Shape.HeadSize), false, Dropout, (ulong)Seed, 3);

        public LinformerAttentionCase<T> Case<T>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => new(Shape, Options, Lengths, Shared, Accumulate, Seed, Gap);
    }
}
