using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// <see cref="FlashForward"/> for two-byte data on Hopper: warpgroups own 64 queries each of a head and walk over its keys together, block by block. Keys and values come by TMA into
/// rings of stages; both products are warpgroup products, the probabilities of the second one stay in registers.
/// </summary>
/// <remarks>
/// <para>Scores of one block of keys are computed while the block before is multiplied by its values, and its exponentials while that second product goes on. One thread brings the
/// blocks: <c>full</c> barriers count bytes that have come, <c>empty</c> ones the warps that are done with a stage. It waits for what the slowest warpgroup left a step ago, so
/// that warpgroups may be a step apart: one computes exponentials while another one multiplies.</para>
/// <para>Maps have four dimensions: columns and rows outside of a head arrive as zeros, never as parts of a neighbour. A row's maximum is replaced only by one that is
/// 2⁸ times larger in what its exponentials are, since sums have the range; the output is seldom rescaled therefore.</para>
/// <para>Floor: 4 · B · H · Lq · Lk · D operations at 989 TFLOP/s and one exponential a score, 16 a cycle and multiprocessor: for heads of 64 columns they take the same time.</para>
/// </remarks>
internal static class WarpgroupFlashForward
{
    private const int Stages = 1 << StageBits;
    private const int StageBits = 2;
    private const int Rows = WarpgroupTiles.WarpgroupRows;
    private const int BoxColumns = WarpgroupRing.BoxColumns;
    private const int BoxRowBytes = WarpgroupRing.BoxRowBytes;
    private const int WarpRows = WarpgroupTiles.WarpRows;

    /// <summary>Binary digits by which a new maximum exceeds the old one, that it replaces.</summary>
    private const float Slack = 8;

    /// <summary>Grid: blocks of queries · heads · samples, blocks fastest. Group: whole warpgroups, one group a multiprocessor.</summary>
    /// <typeparam name="TOperand">What the data are.</typeparam>
    /// <typeparam name="TN">Half the keys of a block: scores of a thread.</typeparam>
    /// <typeparam name="TD">Half the columns of a head's boxes: sums of a thread.</typeparam>
    [Kernel(Name = "attention_forward_warpgroup")]
    public static void Run<TOperand, TN, TD>(
        TensorMap mapQ, TensorMap mapK, TensorMap mapV, ReadOnlyView<int> lengths, View<ushort> y, View<ushort> rest, View<float> lse, AttentionSizes sizes, [Constant] AttentionTraits traits)
        where TOperand : struct, IWarpgroupOperand
        where TN : struct, ICount
        where TD : struct, ICount => Attend<TOperand, TN, TD>(mapQ, mapK, mapV, lengths, y, rest, lse, sizes, traits);

    /// <summary>The same, two groups a multiprocessor.</summary>
    [Kernel(Name = "attention_forward_warpgroup_pair", MinimumGroups = 2)]
    public static void RunPair<TOperand, TN, TD>(
        TensorMap mapQ, TensorMap mapK, TensorMap mapV, ReadOnlyView<int> lengths, View<ushort> y, View<ushort> rest, View<float> lse, AttentionSizes sizes, [Constant] AttentionTraits traits)
        where TOperand : struct, IWarpgroupOperand
        where TN : struct, ICount
        where TD : struct, ICount => Attend<TOperand, TN, TD>(mapQ, mapK, mapV, lengths, y, rest, lse, sizes, traits);

    private static void Attend<TOperand, TN, TD>(
        in TensorMap mapQ, in TensorMap mapK, in TensorMap mapV, ReadOnlyView<int> lengths, View<ushort> y, View<ushort> rest, View<float> lse, AttentionSizes sizes, AttentionTraits traits)
        where TOperand : struct, IWarpgroupOperand
        where TN : struct, ICount
        where TD : struct, ICount
    {
        int keys = 2 * TN.Value, boxes = 2 * TD.Value / BoxColumns, warpgroups = Group.SizeX / WarpgroupTiles.WarpgroupThreads, queries = warpgroups * Rows;
        Shared<byte> queryTile = Shared.Allocate<byte>(boxes * queries * BoxRowBytes, 1024);
        WarpgroupRing keyRing = WarpgroupRing.Allocate(StageBits, keys, boxes), valueRing = WarpgroupRing.Allocate(StageBits, keys, boxes);
        Mbarrier queriesFull = Mbarrier.Allocate();
        Shared<UInt2> bits = Shared.Allocate<UInt2>(traits.Dropout ? queries * keys / 64 : 1);
        ulong stream = traits.Dropout ? sizes.Key.Stream : 0;
        QueryBlock block = QueryBlock.Of(queries, keys, lengths, sizes, traits);
        int firstQuery = block.Queries.First, batchHead = block.Queries.BatchHead, sample = block.Queries.Sample, head = block.Queries.Head, length = block.Length, steps = block.Steps;
        if (Group.Thread == 0)
        {
            queriesFull.Init(1);
            keyRing.Init();
            valueRing.Init();
            Mbarrier.FenceInit();
            queriesFull.ArriveExpect(boxes * queries * BoxRowBytes);
            WarpgroupTiles.Load(queryTile, mapQ, boxes, queries, head, firstQuery, sample, queriesFull);
            for (int i = 0; i < Stages - 1; i++)
            {
                Loop.Unroll();
                Bring(keyRing, mapK, i, steps, keys, sample, head);
                if (i < Stages - 2)
                {
                    Bring(valueRing, mapV, i, steps, keys, sample, head);
                }
            }
        }

        Group.Barrier();

        int warpgroup = WarpgroupTiles.Warpgroup(), warpQuery = firstQuery + (WarpRows * Warp.Index);
        int openSteps = block.OpenSteps(warpgroup, keys, sizes, traits);
        WgmmaOperand left = WgmmaOperand.AlongK(queryTile.From(warpgroup * Rows * BoxRowBytes));
        WgmmaOperand right = WgmmaOperand.AlongK(keyRing.Tiles), values = WgmmaOperand.AcrossK(valueRing.Tiles, keys);
        Shared<UInt2> warpBits = bits.From(traits.Dropout ? Warp.Index * WarpRows * keys / 64 : 0);
        float slack = Slack / sizes.Scale2;
        WarpgroupSoftmax rows = default;
        rows.Clear();
        Registers<float, TD> output = default;
        Registers<float, TN> scores = default;
        Registers<UInt4, Eighth<TN>> probabilities = default;
        output.Fill(0);
        if (steps > 0)
        {
            queriesFull.Wait(0);
            keyRing.Wait(0);
            Wgmma.Fence();
            WarpgroupTiles.RowsByRows<TOperand, TN>(ref scores, left, right.At(keyRing.OffsetOf(0)), boxes, queries, keys);
            Wgmma.Commit();
            if (traits.Dropout)
            {
                WarpgroupTiles.MakeBits(warpBits, keys, batchHead, warpQuery, 0, sizes, stream);
            }

            Wgmma.Wait(0);
            keyRing.Release(0);
            if (!traits.Whole && openSteps < 1)
            {
                WarpgroupScores.HideKeys(ref scores, warpQuery, 0, length, sizes.Offset, traits.Causal);
            }

            rows.Next(ref scores, sizes.Scale2, slack);
            if (traits.Dropout)
            {
                WarpgroupScores.Drop(ref scores, warpBits);
            }

            WarpgroupScores.Pack<TOperand, TN>(ref scores, ref probabilities);
            // twice the same: the blocks that are seen in full, and the others
            int step = 1;
            for (int part = 0; part < (traits.Whole ? 1 : 2); part++)
            {
                Loop.Unroll();
                bool hides = part == 1;
                int last = traits.Whole || hides ? steps : Math.Min(openSteps, steps);
                for (; step < last; step++)
                {
                    Loop.Keep();
                    if (Group.Thread == 0)
                    {
                        Bring(keyRing, mapK, step + Stages - 2, steps, keys, sample, head);
                        Bring(valueRing, mapV, step + Stages - 3, steps, keys, sample, head);
                    }

                    Warp.Barrier();
                    keyRing.Wait(step);
                    valueRing.Wait(step - 1);
                    Wgmma.Fence();
                    WarpgroupTiles.RowsByRows<TOperand, TN>(ref scores, left, right.At(keyRing.OffsetOf(step)), boxes, queries, keys);
                    Wgmma.Commit();
                    WarpgroupTiles.RegistersByColumns<TOperand, TN, TD>(ref output, ref probabilities, values.At(valueRing.OffsetOf(step - 1)));
                    Wgmma.Commit();
                    if (traits.Dropout)
                    {
                        WarpgroupTiles.MakeBits(warpBits, keys, batchHead, warpQuery, step * keys, sizes, stream);
                    }

                    Wgmma.Wait(1);
                    keyRing.Release(step);

                    if (hides)
                    {
                        WarpgroupScores.HideKeys(ref scores, warpQuery, step * keys, length, sizes.Offset, traits.Causal);
                    }

                    bool isNew = rows.Next(ref scores, sizes.Scale2, slack);
                    if (traits.Dropout)
                    {
                        WarpgroupScores.Drop(ref scores, warpBits);
                    }

                    Wgmma.Wait(0);
                    valueRing.Release(step - 1);
                    if (Warp.Any(isNew))
                    {
                        WarpgroupScores.Scale(ref output, rows.UpperShrink, rows.LowerShrink);
                    }

                    WarpgroupScores.Pack<TOperand, TN>(ref scores, ref probabilities);
                }
            }

            valueRing.Wait(steps - 1);
            Wgmma.Fence();
            WarpgroupTiles.RegistersByColumns<TOperand, TN, TD>(ref output, ref probabilities, values.At(valueRing.OffsetOf(steps - 1)));
            Wgmma.Commit();
            Wgmma.Wait(0);
        }

        Finish<TOperand, TD>(ref output, ref rows, y, rest, lse, batchHead, warpQuery, sizes, traits);
    }

    private static void Finish<TOperand, TD>(
        ref Registers<float, TD> output, ref WarpgroupSoftmax rows, View<ushort> y, View<ushort> rest, View<float> lse, int batchHead, int warpQuery, AttentionSizes sizes, AttentionTraits traits)
        where TOperand : struct, IWarpgroupOperand
        where TD : struct, ICount
    {
        Float2 sums = rows.Sums();
        WarpgroupScores.Scale(ref output, sums.X > 0 ? sizes.Kept / sums.X : 0, sums.Y > 0 ? sizes.Kept / sums.Y : 0);
        if ((Warp.Lane & 3) == 0)
        {
            int query = warpQuery + (Warp.Lane >> 2);
            View<float> headLse = lse.From((long)batchHead * sizes.QueryLength);
            if (query < sizes.QueryLength)
            {
                headLse[query] = FlashForward.LogSum(rows.UpperMaximum, sums.X, sizes.Scale);
            }

            if (query + 8 < sizes.QueryLength)
            {
                headLse[query + 8] = FlashForward.LogSum(rows.LowerMaximum, sums.Y, sizes.Scale);
            }
        }

        long first = sizes.Origin(batchHead, sizes.QueryLength, warpQuery, traits.HeadSize);
        WarpgroupScores.Store<TOperand, TD>(ref output, y.From(first), sizes.Width, sizes.QueryLength - warpQuery, traits.HeadSize);
        if (traits.HasRest)
        {
            for (int i = 0; i < TD.Value; i++)
            {
                output[i] -= TOperand.Rounded(output[i]);
            }

            WarpgroupScores.Store<TOperand, TD>(ref output, rest.From(first), sizes.Width, sizes.QueryLength - warpQuery, traits.HeadSize);
        }
    }

    // by one thread
    private static void Bring(WarpgroupRing ring, in TensorMap map, int index, int count, int rows, int sample, int head)
    {
        if (index < count)
        {
            ring.Load(map, index, 0, index * rows, sample, head, ring.Reserve(index));
        }
    }
}

/// <summary>An eighth of a count.</summary>
internal readonly struct Eighth<TCount> : ICount
    where TCount : struct, ICount
{
    public static int Value => TCount.Value / 8;
}
