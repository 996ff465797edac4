using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>The block of queries of a group of warpgroups, and how far they walk over the keys of its head.</summary>
internal struct QueryBlock
{
    public HeadBlock Queries;

    /// <summary>Visible keys of the sample, before causal order.</summary>
    public int Length;

    /// <summary>Blocks of keys of which some query sees one.</summary>
    public int Steps;

    /// <summary>The group's own. Where causal, the last queries see the most keys and start first.</summary>
    /// <param name="queries">Of a block.</param>
    /// <param name="keys">Of a block.</param>
    public static QueryBlock Of(int queries, int keys, ReadOnlyView<int> lengths, AttentionSizes sizes, AttentionTraits traits)
    {
        HeadBlock block = HeadBlock.Of(sizes.QueryLength, queries, sizes.Heads, traits.Causal);
        int length = traits.KeysOf(lengths, block.Sample, sizes.KeyLength);
        int end = traits.Causal ? Math.Clamp(block.First + queries + sizes.Offset, 0, length) : length;
        return new QueryBlock { Queries = block, Length = length, Steps = (end + keys - 1) / keys };
    }

    /// <summary>The first blocks of keys, which all queries of a warpgroup see in full.</summary>
    public readonly int OpenSteps(int warpgroup, int keys, AttentionSizes sizes, AttentionTraits traits) =>
        (traits.Causal ? Math.Clamp(Queries.First + (warpgroup * WarpgroupTiles.WarpgroupRows) + 1 + sizes.Offset, 0, Length) : Length) / keys;
}
