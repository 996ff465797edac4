using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// <see cref="FlashKeyGradient"/> for two-byte data on Hopper: warpgroups own 64 keys each of a head and walk over its queries and gradients of outputs together, which come by TMA
/// with their statistics. Scores are computed transposed, keys as rows, so that Pᵀ and dSᵀ are left operands of the next products in registers.
/// </summary>
/// <remarks>
/// <para>Of four products a block three run while something else is computed: dPᵀ = v gyᵀ under the exponentials, gv += Pᵀ gy under the gradients of scores, and gk += dSᵀ q while
/// the next block's scores are waited for; those are computed no further ahead for the reason given at <see cref="WarpgroupFlashQueryGradient"/>.</para>
/// <para>Floor: 8 · B · H · Lq · Lk · D operations and one exponential a score.</para>
/// </remarks>
internal static class WarpgroupFlashKeyGradient
{
    private const int StageBits = 3;
    private const int Rows = WarpgroupTiles.WarpgroupRows;
    private const int BoxRowBytes = WarpgroupRing.BoxRowBytes;
    private const int Threads = WarpgroupTiles.WarpgroupThreads;
    private const int Warps = Threads / Warp.Size;

    /// <summary>Named barrier of the first warpgroup.</summary>
    private const int FirstBarrier = 1;

    /// <summary>Bytes of a query's statistics.</summary>
    private const int StatisticsBytes = 8;

    /// <summary>Grid: blocks of keys · heads · samples, blocks fastest. Group: whole warpgroups.</summary>
    /// <typeparam name="TOperand">What the data are.</typeparam>
    /// <typeparam name="TN">Half the queries of a block.</typeparam>
    /// <typeparam name="TD">Half the columns of a head's boxes.</typeparam>
    /// <param name="mapS">Of the statistics that <see cref="WarpgroupFlashQueryGradient"/> leaves, two numbers a query, a row a head.</param>
    [Kernel(Name = "attention_key_gradient_warpgroup")]
    public static void Run<TOperand, TN, TD>(
        TensorMap mapQ, TensorMap mapK, TensorMap mapV, TensorMap mapG, TensorMap mapS, ReadOnlyView<int> lengths, View<ushort> gk, View<ushort> gv, AttentionSizes sizes,
        [Constant] AttentionTraits traits)
        where TOperand : struct, IWarpgroupOperand
        where TN : struct, ICount
        where TD : struct, ICount
    {
        int queries = 2 * TN.Value, boxes = 2 * TD.Value / WarpgroupRing.BoxColumns, warpgroups = Group.SizeX / Threads, keys = warpgroups * Rows;
        Shared<byte> keyTile = Shared.Allocate<byte>(boxes * keys * BoxRowBytes, 1024), valueTile = Shared.Allocate<byte>(boxes * keys * BoxRowBytes, 1024);
        WarpgroupRing ring = WarpgroupRing.Allocate(StageBits, queries, boxes, 2, queries * StatisticsBytes);
        Shared<Float2> statistics = Shared.Allocate<Float2>(ring.Stages * queries, 128);
        Mbarrier keysFull = Mbarrier.Allocate();
        Shared<UInt2> bits = Shared.Allocate<UInt2>(traits.Dropout ? 2 * warpgroups * queries : 2, 16);
        ulong stream = traits.Dropout ? sizes.Key.Stream : 0;

        HeadBlock block = HeadBlock.Of(sizes.KeyLength, keys, sizes.Heads, backwards: false);
        int firstKey = block.First, batchHead = block.BatchHead, sample = block.Sample, head = block.Head;
        int length = traits.KeysOf(lengths, sample, sizes.KeyLength), steps = (sizes.QueryLength + queries - 1) / queries;

        // causal: queries before the first key's own see nothing here
        int start = firstKey >= length ? steps : traits.Causal ? Math.Min(steps, Math.Max(0, firstKey - sizes.Offset) / queries) : 0, count = steps - start;
        if (Group.Thread == 0)
        {
            keysFull.Init(1);
            ring.Init();
            Mbarrier.FenceInit();
            keysFull.ArriveExpect(2 * boxes * keys * BoxRowBytes);
            WarpgroupTiles.Load(keyTile, mapK, boxes, keys, head, firstKey, sample, keysFull);
            WarpgroupTiles.Load(valueTile, mapV, boxes, keys, head, firstKey, sample, keysFull);
            for (int i = 0; i < ring.Ahead; i++)
            {
                Loop.Unroll();
                Bring(ring, statistics, mapQ, mapG, mapS, i, count, start, queries, sample, head, batchHead);
            }
        }

        Group.Barrier();

        int warpgroup = WarpgroupTiles.Warpgroup(), warpKey = firstKey + (WarpgroupTiles.WarpRows * Warp.Index), lastKey = firstKey + (Rows * warpgroup) + Rows - 1;
        WgmmaOperand keyRows = WgmmaOperand.AlongK(keyTile.From(warpgroup * Rows * BoxRowBytes)), valueRows = WgmmaOperand.AlongK(valueTile.From(warpgroup * Rows * BoxRowBytes));
        WgmmaOperand along = WgmmaOperand.AlongK(ring.Tiles), across = WgmmaOperand.AcrossK(ring.Tiles, queries);
        Registers<float, TD> keyGradient = default, valueGradient = default;
        Registers<float, TN> scores = default, slopes = default;
        Registers<UInt4, Eighth<TN>> packed = default, packedSlopes = default;
        keyGradient.Fill(0);
        valueGradient.Fill(0);
        keysFull.Wait(0);
        if (count > 0)
        {
            // twice the same: blocks of queries of which some do not see some of the warpgroup's keys, which come first, and the others
            int step = 0, open = lastKey >= length ? count : traits.Causal ? Math.Clamp(((lastKey - sizes.Offset + queries - 1) / queries) - start, 0, count) : 0;
            for (int part = traits.Whole ? 1 : 0; part < 2; part++)
            {
                Loop.Unroll();
                bool hides = part == 0;
                int last = hides ? open : count;
                for (; step < last; step++)
                {
                    Loop.Keep();
                    int firstQuery = (start + step) * queries;
                    if (Group.Thread == 0)
                    {
                        Bring(ring, statistics, mapQ, mapG, mapS, step + ring.Ahead, count, start, queries, sample, head, batchHead);
                    }

                    Warp.Barrier();
                    ring.Wait(step);
                    Wgmma.Fence();
                    WarpgroupTiles.RowsByRows<TOperand, TN>(ref scores, keyRows, along.At(ring.OffsetOf(step)), boxes, keys, queries);
                    Wgmma.Commit();
                    WarpgroupTiles.RowsByRows<TOperand, TN>(ref slopes, valueRows, along.At(ring.OffsetOf(step, 1)), boxes, keys, queries);
                    Wgmma.Commit();
                    Shared<UInt2> stepBits = bits;
                    if (traits.Dropout)
                    {
                        stepBits = bits.From((((step & 1) * warpgroups) + warpgroup) * queries);
                        DropoutBits.Make(stepBits, queries, 1, batchHead, firstQuery, firstKey + (Rows * warpgroup), sizes, stream, Warp.Index % Warps, Warps);
                        Meet(warpgroup, warpgroups);
                    }

                    Wgmma.Wait(1);
                    if (step > 0)
                    {
                        ring.Release(step - 1);
                    }

                    if (hides)
                    {
                        WarpgroupScores.HideKeyRows(ref scores, warpKey, firstQuery, length, sizes.Offset, traits.Causal);
                    }

                    Shared<Float4> pairs = statistics.From(ring.StageOf(step) * queries).As<Float4>().From(Warp.Lane & 3);
                    for (int i = 0; i < TN.Value; i += 4)
                    {
                        Float4 pair = pairs[i];
                        scores[i] = FlashScores.Probability(scores[i], sizes.Scale2, pair.X);
                        scores[i + 1] = FlashScores.Probability(scores[i + 1], sizes.Scale2, pair.Z);
                        scores[i + 2] = FlashScores.Probability(scores[i + 2], sizes.Scale2, pair.X);
                        scores[i + 3] = FlashScores.Probability(scores[i + 3], sizes.Scale2, pair.Z);
                    }

                    if (traits.Dropout)
                    {
                        Registers<float, TN> kept = scores;
                        WarpgroupScores.DropKeyRows(ref kept, stepBits);
                        WarpgroupScores.Pack<TOperand, TN>(ref kept, ref packed);
                    }
                    else
                    {
                        WarpgroupScores.Pack<TOperand, TN>(ref scores, ref packed);
                    }

                    Wgmma.Fence();
                    WarpgroupTiles.RegistersByColumns<TOperand, TN, TD>(ref valueGradient, ref packed, across.At(ring.OffsetOf(step, 1)));
                    Wgmma.Commit();
                    Wgmma.Wait(1);
                    if (traits.Dropout)
                    {
                        WarpgroupScores.DropKeyRows(ref slopes, stepBits);
                    }

                    for (int i = 0; i < TN.Value; i += 4)
                    {
                        Float4 pair = pairs[i];
                        slopes[i] = scores[i] * GpuMath.Fma(slopes[i], sizes.Kept, pair.Y);
                        slopes[i + 1] = scores[i + 1] * GpuMath.Fma(slopes[i + 1], sizes.Kept, pair.W);
                        slopes[i + 2] = scores[i + 2] * GpuMath.Fma(slopes[i + 2], sizes.Kept, pair.Y);
                        slopes[i + 3] = scores[i + 3] * GpuMath.Fma(slopes[i + 3], sizes.Kept, pair.W);
                    }

                    WarpgroupScores.Pack<TOperand, TN>(ref slopes, ref packedSlopes);
                    Wgmma.Fence();
                    WarpgroupTiles.RegistersByColumns<TOperand, TN, TD>(ref keyGradient, ref packedSlopes, across.At(ring.OffsetOf(step)));
                    Wgmma.Commit();
                }
            }

            Wgmma.Wait(0);
        }

        long origin = sizes.Origin(batchHead, sizes.KeyLength, warpKey, traits.HeadSize);
        WarpgroupScores.Scale(ref keyGradient, sizes.Scale, sizes.Scale);
        WarpgroupScores.Store<TOperand, TD>(ref keyGradient, gk.From(origin), sizes.Width, sizes.KeyLength - warpKey, traits.HeadSize);
        WarpgroupScores.Scale(ref valueGradient, sizes.Kept, sizes.Kept);
        WarpgroupScores.Store<TOperand, TD>(ref valueGradient, gv.From(origin), sizes.Width, sizes.KeyLength - warpKey, traits.HeadSize);
    }

    // by one thread
    private static void Bring(
        WarpgroupRing ring, Shared<Float2> statistics, in TensorMap mapQ, in TensorMap mapG, in TensorMap mapS, int index, int count, int start, int rows, int sample, int head, int batchHead)
    {
        if (index < count)
        {
            int first = (start + index) * rows;
            Mbarrier arrived = ring.Reserve(index);
            ring.Load(mapQ, index, 0, first, sample, head, arrived);
            ring.Load(mapG, index, 1, first, sample, head, arrived);
            Tma.Load2D(statistics.From(ring.StageOf(index) * rows), mapS, 2 * first, batchHead, arrived);
        }
    }

    // a barrier of the warpgroup
    private static void Meet(int warpgroup, int warpgroups)
    {
        for (int g = 0; g < warpgroups; g++)
        {
            Loop.Unroll();
            if (warpgroup == g)
            {
                Group.Barrier(FirstBarrier + g, Threads);
            }
        }
    }
}
