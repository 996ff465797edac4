using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda.Tests;

public sealed class GemmPlanTests
{
    private static readonly DeviceLimits s_limits = new() { Multiprocessors = 132 };
    private static readonly DeviceLimits s_ampere = s_limits with { Capability = 80 };
    private static readonly GemmProblem s_large = GemmProblem.Contiguous(4096, 4096, 4096, false, true) with { Precision = GemmPrecision.BFloat16, Output = DType.BFloat16 };

    /// <summary>Products that suit warpgroups: the block of C that leaves the fewest multiprocessors idle.</summary>
    [Theory]
    [InlineData(4096, 4096, 4096, 256)]
    [InlineData(8192, 8192, 8192, 256)]
    [InlineData(2048, 2048, 2048, 256)]
    [InlineData(4096, 768, 768, 192)]
    [InlineData(4096, 3072, 768, 256)]
    [InlineData(4096, 768, 3072, 192)]
    public void HopperTakesWarpgroups(int m, int n, int k, int columns)
    {
        foreach (GemmPrecision precision in new[] { GemmPrecision.BFloat16, GemmPrecision.Half, GemmPrecision.TensorFloat32 })
        {
            GemmPlan plan = GemmPlan.For(GemmProblem.Contiguous(m, n, k, false, true) with { Precision = precision }, s_limits);
            Assert.True(plan.Warpgroups, $"{plan}");
            Assert.Equal((columns, 1), (plan.Tile.N, plan.Parts));
        }
    }

    [Fact]
    public void WhatWarpgroupsCannotDoIsLeftToOthers()
    {
        Assert.True(GemmPlan.For(s_large, s_limits).Warpgroups);
        Assert.False(GemmPlan.For(s_large, s_ampere).Warpgroups);
        Assert.False(GemmPlan.For(s_large, s_limits with { Capability = 100 }).Warpgroups);
        Assert.False(GemmPlan.For(s_large, s_limits, false).Warpgroups);
        Assert.True(GemmPlan.For(s_large with { Precision = GemmPrecision.TwoBFloat16 }, s_limits).Warpgroups);
        Assert.False(GemmPlan.For(s_large with { Precision = GemmPrecision.TwoBFloat16, K = 4080 }, s_limits).Warpgroups);
        Assert.False(GemmPlan.For(s_large with { Precision = GemmPrecision.TwoBFloat16, LeadingA = 4104 }, s_limits).Warpgroups);
        Assert.False(GemmPlan.For(s_large with { Precision = GemmPrecision.TwoBFloat16, M = (1 << 18) + 1 }, s_limits).Warpgroups);
        Assert.True(GemmPlan.For(s_large with { Precision = GemmPrecision.TensorFloat32, M = (1 << 18) + 1 }, s_limits).Warpgroups);
        Assert.False(GemmPlan.For(s_large with { Precision = GemmPrecision.TensorFloat32, M = (1 << 18) + 4, LeadingA = (1 << 18) + 4, TransposeA = true }, s_limits).Warpgroups);
        Assert.True(GemmPlan.For(s_large with { Precision = GemmPrecision.TwoBFloat16, TransposeA = true, TransposeB = false, K = 4083 }, s_limits).Warpgroups);
        Assert.False(GemmPlan.For(s_large with { Precision = GemmPrecision.Float32 }, s_limits).Warpgroups);
        Assert.False(GemmPlan.For(s_large with { LeadingA = 4100 }, s_limits).Warpgroups);
        Assert.False(GemmPlan.For(s_large with { LeadingB = 4100 }, s_limits).Warpgroups);
        Assert.True(GemmPlan.For(s_large with { Overlapping = true, LeadingA = 2048 }, s_limits).Warpgroups);
        Assert.False(GemmPlan.For(s_large with { Batch = 4, Inner = 2 }, s_limits).Warpgroups);
        Assert.False(GemmPlan.For(s_large with { Batch = 4, StrideA = 4 }, s_limits).Warpgroups);
        Assert.False(GemmPlan.For(GemmProblem.Contiguous(128, 128, 128, false, true) with { Precision = GemmPrecision.Half }, s_limits).Warpgroups);
        Assert.False(GemmPlan.For(s_large, s_limits with { GroupSharedBytes = 166912 }).Warpgroups);
    }

    /// <summary>Stacks are one launch: blocks of all products share the device.</summary>
    [Theory]
    [InlineData(15999, 512, true)]
    [InlineData(7999, 512, true)]
    [InlineData(999, 512, true)]
    [InlineData(499, 512, true)]
    [InlineData(499, 8, false)]
    public void StacksTakeWarpgroupsWhereTheirProductsAreNotSmall(int outputs, int columns, bool expected)
    {
        GemmProblem problem = GemmProblem.Contiguous(outputs, columns, 1024, false, true, 8) with
        {
            StrideB = 0,
            Precision = GemmPrecision.BFloat16,
            Output = DType.BFloat16,
        };
        Assert.Equal(expected, GemmPlan.For(problem, s_limits).Warpgroups);
    }

    [Fact]
    public void CutsAreFoundAgainWithoutAllocating()
    {
        GemmProblem other = s_large with { M = 640, TransposeA = true };
        foreach (DeviceLimits limits in new[] { s_limits, s_ampere })
        {
            foreach (bool aligned in new[] { true, false })
            {
                Assert.Equal(GemmPlan.For(s_large, limits, aligned), GemmPlanCache.Find(s_large, limits, aligned));
                Assert.Equal(GemmPlan.For(other, limits, aligned), GemmPlanCache.Find(other, limits, aligned));
            }
        }

        for (int i = 0; i < 2; i++)
        {
            GemmPlanCache.Find(s_large, s_limits, true);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            GemmPlanCache.Find(s_large, s_limits, true);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void BlocksOnWarpgroupsFillSharedMemory() =>
        Assert.All(GemmPlan.WarpgroupTiles, t => Assert.InRange(WarpgroupGemm.SharedBytes(t), s_limits.GroupSharedBytes - (48 << 10), s_limits.GroupSharedBytes));

    [Fact]
    public void LargeProductsTakeLargeBlocksWhole()
    {
        foreach (GemmPrecision precision in GemmChecks.Precisions)
        {
            GemmProblem problem = GemmProblem.Contiguous(8192, 8192, 8192, false, true) with { Precision = precision };
            GemmPlan plan = GemmPlan.For(problem, s_ampere);
            Assert.True(plan is { Parts: 1, Warpgroups: false, Tile: { M: 128, N: >= 128 } }, $"{precision}: {plan}");
        }
    }

    [Fact]
    public void WeightGradientsAreSplitAlongK()
    {
        foreach (GemmPrecision precision in GemmChecks.Precisions)
        {
            GemmPlan plan = GemmPlan.For(GemmProblem.Contiguous(256, 256, 16384, true, false) with { Precision = precision }, s_limits);
            Assert.True(plan.Parts > 4, $"{precision}: {plan}");
        }
    }

    [Fact]
    public void EveryPlanFillsNoMoreThanItNeeds() => Prop.ForAll(
        Gen.Choose(1, 5000).Four().ToArbitrary(),
        sizes =>
        {
            (int m, int n, int k, int batch) = sizes;
            GemmProblem problem = GemmProblem.Contiguous(m, n, k, false, false, 1 + (batch % 20)) with { Precision = GemmChecks.Precisions[batch % GemmChecks.Precisions.Length] };
            GemmPlan plan = GemmPlan.For(problem, s_limits);
            int blocks = (k + GemmPlan.Depth(problem.Precision) - 1) / GemmPlan.Depth(problem.Precision);
            Assert.Contains(plan.Tile, plan.Warpgroups ? GemmPlan.WarpgroupTiles : GemmPlan.Tiles(problem.Precision));
            Assert.True(plan.Parts == 1 || blocks / plan.Parts >= 4, $"{problem}: {plan}");
        }).Holds();

    [Fact]
    public void SmallSharedMemoryTakesTilesThatFit()
    {
        foreach (GemmPrecision precision in GemmChecks.Precisions)
        {
            GemmProblem problem = GemmProblem.Contiguous(4096, 4096, 4096, false, true) with { Precision = precision };
            foreach (int bytes in new[] { 101376, 166912, 232448 })
            {
                GemmPlan plan = GemmPlan.For(problem, s_limits with { GroupSharedBytes = bytes });
                Assert.InRange(GemmPlan.SharedBytes(precision, plan.Tile), 1, bytes);
            }
        }
    }

    [Fact]
    public void TimingReturnsATime()
    {
        using DebugAccelerator device = new();
        Assert.True(GemmTiming.Milliseconds(device, GemmProblem.Contiguous(8, 8, 8, false, false)) > 0);
    }

    [Theory]
    [InlineData(3, 5, 4, 3, 5, 5, "leading dimension 3 of A")]
    [InlineData(3, 5, 4, 4, 4, 5, "leading dimension 4 of B")]
    [InlineData(3, 5, 4, 4, 5, 2, "leading dimension 2 of C")]
    [InlineData(-1, 5, 4, 4, 5, 5, "extents -1")]
    public void WrongProblemsAreNamed(int m, int n, int k, int leadingA, int leadingB, int leadingC, string message)
    {
        using DebugAccelerator device = new();
        GemmProblem problem = new(m, n, k) { LeadingA = leadingA, LeadingB = leadingB, LeadingC = leadingC };
        CaldException e = Assert.Throws<CaldException>(() => GemmLauncher.Run(device, problem, new GemmOperands(256, 256, 256)));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }
}
