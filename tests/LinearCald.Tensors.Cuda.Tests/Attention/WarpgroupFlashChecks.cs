using FsCheck;
using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda.Tests.Attention;

/// <summary>Attention on warpgroups on any accelerator that has them.</summary>
internal static class WarpgroupFlashChecks
{
    /// <summary>Random problems: any lengths, keys of each sample, causal or not, dropout, heads of 8 … 128 columns.</summary>
    /// <param name="most">Most queries.</param>
    /// <param name="mostKeys">Most keys.</param>
    /// <param name="warpgroups">Of a group.</param>
    public static void Random(Accelerator device, int count, int most, int mostKeys, int[] warpgroups)
    {
        Gen<(AttentionProblem Problem, WarpgroupFlashTile Tile, int[]? Lengths, int Seed)> cases =
            from batch in Gen.Choose(1, 2)
            from heads in Gen.Choose(1, 2)
            from queries in Gen.OneOf(Gen.Constant(1), Gen.Choose(2, most))
            from keys in Gen.OneOf(Gen.Constant(1), Gen.Choose(2, mostKeys), Gen.Constant(128))
            from columns in Gen.Elements(64, 64, 8, 40, 72, 128)
            from precision in Gen.Elements(GemmPrecision.BFloat16, GemmPrecision.Half)
            from causal in Gen.Elements(false, true)
            from dropout in Gen.Elements(0.0, 0.0, 0.3)
            from limited in Gen.Elements(false, true)
            from lengths in Gen.Choose(0, keys).ArrayOf(batch)
            from groups in Gen.Elements(warpgroups)
            from block in Gen.Elements(64, columns > 64 ? 64 : 128)
            from seed in Gen.Choose(0, int.MaxValue)
            select (
                new AttentionProblem(precision, batch, heads, queries, keys, columns, 1 / Math.Sqrt(columns), causal, dropout),
                new WarpgroupFlashTile(groups, block),
                limited ? lengths : null,
                seed);
        Prop.ForAll(cases.ToArbitrary(), c => AttentionComparison.Run(device, c.Problem, new RandomKey((ulong)c.Seed, 9), c.Lengths, c.Seed, c.Tile)).Holds(count);
    }

    /// <summary>One problem, all keys.</summary>
    public static void Compare(Accelerator device, AttentionProblem problem, WarpgroupFlashTile tile, int seed) =>
        AttentionComparison.Run(device, problem, new RandomKey(3, 5), null, seed, tile);
}
