using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// <see cref="FlashQueryGradient"/> for two-byte data on Hopper: warpgroups own 64 queries each of a head and walk over its keys and values together, which come by TMA. Also
/// leaves what <see cref="WarpgroupFlashKeyGradient"/> needs of every query.
/// </summary>
/// <remarks>
/// <para>While a thread computes exponentials of a block, its dP = gy vᵀ is computed, and gq is added to while it waits for the next block's scores. Scores are not computed further ahead: an
/// assembler (ptxas 13) does not see that products which were started in one round of a loop are over in the next, and waits for every single one then.</para>
/// <para>Floor: 6 · B · H · Lq · Lk · D operations and one exponential a score.</para>
/// </remarks>
internal static class WarpgroupFlashQueryGradient
{
    private const int StageBits = 3;
    private const int Rows = WarpgroupTiles.WarpgroupRows;
    private const int BoxRowBytes = WarpgroupRing.BoxRowBytes;

    /// <summary>Grid: blocks of queries · heads · samples, blocks fastest. Group: whole warpgroups.</summary>
    /// <typeparam name="TOperand">What the data are.</typeparam>
    /// <typeparam name="TN">Half the keys of a block.</typeparam>
    /// <typeparam name="TD">Half the columns of a head's boxes.</typeparam>
    /// <param name="dots">From <see cref="FlashRowDots"/>.</param>
    /// <param name="statistics">Of every query what its exponents get added, and minus its dot made more exact; <paramref name="pitch"/> queries a head.</param>
    [Kernel(Name = "attention_query_gradient_warpgroup")]
    public static void Run<TOperand, TN, TD>(
        TensorMap mapQ, TensorMap mapK, TensorMap mapV, TensorMap mapG, ReadOnlyView<int> lengths, ReadOnlyView<float> lse, ReadOnlyView<float> dots, View<Float2> statistics, View<ushort> gq,
        int pitch, AttentionSizes sizes, [Constant] AttentionTraits traits)
        where TOperand : struct, IWarpgroupOperand
        where TN : struct, ICount
        where TD : struct, ICount
    {
        int keys = 2 * TN.Value, boxes = 2 * TD.Value / WarpgroupRing.BoxColumns, warpgroups = Group.SizeX / WarpgroupTiles.WarpgroupThreads, queries = warpgroups * Rows;
        Shared<byte> queryTile = Shared.Allocate<byte>(boxes * queries * BoxRowBytes, 1024), gradientTile = Shared.Allocate<byte>(boxes * queries * BoxRowBytes, 1024);
        WarpgroupRing ring = WarpgroupRing.Allocate(StageBits, keys, boxes, 2);
        Mbarrier queriesFull = Mbarrier.Allocate();
        Shared<UInt2> bits = Shared.Allocate<UInt2>(traits.Dropout ? queries * keys / 64 : 1);
        ulong stream = traits.Dropout ? sizes.Key.Stream : 0;
        QueryBlock block = QueryBlock.Of(queries, keys, lengths, sizes, traits);
        int firstQuery = block.Queries.First, batchHead = block.Queries.BatchHead, sample = block.Queries.Sample, head = block.Queries.Head, length = block.Length, steps = block.Steps;
        if (Group.Thread == 0)
        {
            queriesFull.Init(1);
            ring.Init();
            Mbarrier.FenceInit();
            queriesFull.ArriveExpect(2 * boxes * queries * BoxRowBytes);
            WarpgroupTiles.Load(queryTile, mapQ, boxes, queries, head, firstQuery, sample, queriesFull);
            WarpgroupTiles.Load(gradientTile, mapG, boxes, queries, head, firstQuery, sample, queriesFull);
            for (int i = 0; i < ring.Ahead; i++)
            {
                Loop.Unroll();
                Bring(ring, mapK, mapV, i, steps, keys, sample, head);
            }
        }

        Group.Barrier();

        int warpgroup = WarpgroupTiles.Warpgroup(), warpQuery = firstQuery + (WarpgroupTiles.WarpRows * Warp.Index);
        int openSteps = block.OpenSteps(warpgroup, keys, sizes, traits);
        WgmmaOperand queryRows = WgmmaOperand.AlongK(queryTile.From(warpgroup * Rows * BoxRowBytes)), gradientRows = WgmmaOperand.AlongK(gradientTile.From(warpgroup * Rows * BoxRowBytes));
        WgmmaOperand along = WgmmaOperand.AlongK(ring.Tiles), across = WgmmaOperand.AcrossK(ring.Tiles, keys);
        Shared<UInt2> warpBits = bits.From(traits.Dropout ? Warp.Index * WarpgroupTiles.WarpRows * keys / 64 : 0);
        int query = warpQuery + (Warp.Lane >> 2);
        SlopeRow upper = SlopeRow.Of(lse, dots, batchHead, query, sizes.QueryLength), lower = SlopeRow.Of(lse, dots, batchHead, query + 8, sizes.QueryLength);
        Registers<float, TD> gradient = default;
        Registers<float, TN> scores = default, slopes = default;
        Registers<UInt4, Eighth<TN>> packed = default;
        gradient.Fill(0);
        if (steps > 0)
        {
            queriesFull.Wait(0);

            // twice the same: the blocks that are seen in full, and the others
            int step = 0;
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
                        Bring(ring, mapK, mapV, step + ring.Ahead, steps, keys, sample, head);
                    }

                    Warp.Barrier();
                    ring.Wait(step);
                    Wgmma.Fence();
                    WarpgroupTiles.RowsByRows<TOperand, TN>(ref scores, queryRows, along.At(ring.OffsetOf(step)), boxes, queries, keys);
                    Wgmma.Commit();
                    WarpgroupTiles.RowsByRows<TOperand, TN>(ref slopes, gradientRows, along.At(ring.OffsetOf(step, 1)), boxes, queries, keys);
                    Wgmma.Commit();
                    if (traits.Dropout)
                    {
                        WarpgroupTiles.MakeBits(warpBits, keys, batchHead, warpQuery, step * keys, sizes, stream);
                    }

                    Wgmma.Wait(1);
                    if (step > 0)
                    {
                        ring.Release(step - 1);
                    }

                    if (hides)
                    {
                        WarpgroupScores.HideKeys(ref scores, warpQuery, step * keys, length, sizes.Offset, traits.Causal);
                    }

                    for (int i = 0; i < TN.Value; i++)
                    {
                        scores[i] = FlashScores.Probability(scores[i], sizes.Scale2, (i & 2) == 0 ? upper.Shift : lower.Shift);
                    }

                    Wgmma.Wait(0);
                    if (traits.Dropout)
                    {
                        WarpgroupScores.Drop(ref slopes, warpBits);
                    }

                    for (int i = 0; i < TN.Value; i += 4)
                    {
                        slopes[i] = upper.Slope(scores[i], slopes[i], sizes.Kept);
                        slopes[i + 1] = upper.Slope(scores[i + 1], slopes[i + 1], sizes.Kept);
                        slopes[i + 2] = lower.Slope(scores[i + 2], slopes[i + 2], sizes.Kept);
                        slopes[i + 3] = lower.Slope(scores[i + 3], slopes[i + 3], sizes.Kept);
                    }

                    WarpgroupScores.Pack<TOperand, TN>(ref slopes, ref packed);
                    Wgmma.Fence();
                    WarpgroupTiles.RegistersByColumns<TOperand, TN, TD>(ref gradient, ref packed, across.At(ring.OffsetOf(step)));
                    Wgmma.Commit();
                }
            }

            Wgmma.Wait(0);
        }

        upper.Write(statistics, (batchHead * pitch) + query, query < sizes.QueryLength);
        lower.Write(statistics, (batchHead * pitch) + query + 8, query + 8 < sizes.QueryLength);
        WarpgroupScores.Scale(ref gradient, sizes.Scale, sizes.Scale);
        WarpgroupScores.Store<TOperand, TD>(
            ref gradient, gq.From(sizes.Origin(batchHead, sizes.QueryLength, warpQuery, traits.HeadSize)), sizes.Width, sizes.QueryLength - warpQuery, traits.HeadSize);
    }

    // by one thread
    private static void Bring(WarpgroupRing ring, in TensorMap mapK, in TensorMap mapV, int index, int count, int rows, int sample, int head)
    {
        if (index < count)
        {
            Mbarrier arrived = ring.Reserve(index);
            ring.Load(mapK, index, 0, index * rows, sample, head, arrived);
            ring.Load(mapV, index, 1, index * rows, sample, head, arrived);
        }
    }

    /// <summary>What a thread knows of one of its rows.</summary>
    private struct SlopeRow
    {
        /// <summary>What exponents get added; −∞ for rows that see no key or do not exist.</summary>
        public float Shift;
        private float _minusDot;

        /// <summary>The thread's share of the sum of the row's gradients of scores.</summary>
        private float _residue;

        public static SlopeRow Of(ReadOnlyView<float> lse, ReadOnlyView<float> dots, int batchHead, int query, int length)
        {
            long at = ((long)batchHead * length) + query;
            float shift = float.NegativeInfinity, dot = 0;
            if (query < length)
            {
                shift = FlashQueryGradient.Shift(lse[at]);
                dot = dots[at];
            }

            return new SlopeRow { Shift = shift, _minusDot = -dot };
        }

        public float Slope(float probability, float slope, float kept)
        {
            float result = probability * GpuMath.Fma(slope, kept, _minusDot);
            _residue += result;
            return result;
        }

        /// <summary>By all lanes of a warp.</summary>
        public readonly void Write(View<Float2> statistics, int at, bool exists)
        {
            float dot = _minusDot - FlashForward.QuadSum(_residue);
            if ((Warp.Lane & 3) == 0 && exists)
            {
                statistics[at] = new Float2(Shift, dot);
            }
        }
    }
}
