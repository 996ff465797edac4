using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Softmax attention with an online softmax (Dao et al. 2022, arXiv 2205.14135; Dao 2023, arXiv 2307.08691): y = dropout(softmax(Scale · q kᵀ)) v a head and
/// lse [B, Heads, QueryLength]. A group of four warps owns 64·M queries of a head and walks over the keys in blocks of 8·N, the next block's copy
/// under way while one is computed on. Scores live in registers only.
/// </summary>
/// <remarks>
/// Exponentials are powers of two of fma(score, Scale · log₂ e, −m): one multiply-add and one special instruction each. Rows that see no key have y 0, lse −∞.
/// Floor: 4 · B · H · Lq · Lk · D operations (half of it causal) and one exponential a score.
/// </remarks>
internal static class FlashForward
{
    private const int Warps = 4;

    /// <summary>Grid: blocks of queries · heads · samples, blocks fastest. Group: 128.</summary>
    /// <typeparam name="TProduct">The arithmetic.</typeparam>
    /// <typeparam name="T">What device memory holds.</typeparam>
    /// <typeparam name="TM">Blocks of 16 queries a warp.</typeparam>
    /// <typeparam name="TN">Blocks of 8 keys a step.</typeparam>
    /// <typeparam name="TD">Blocks of 8 columns that hold a head.</typeparam>
    [Kernel(Name = "attention_forward")]
    public static void Run<TProduct, T, TM, TN, TD>(
        ReadOnlyView<T> q, ReadOnlyView<T> k, ReadOnlyView<T> v, ReadOnlyView<int> lengths, View<T> y, View<T> rest, View<float> lse, AttentionSizes sizes, [Constant] AttentionTraits traits)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TM : struct, ICount
        where TN : struct, ICount
        where TD : struct, ICount
    {
        int depth = 8 * TD.Value, stride = depth + TProduct.Padding, queries = 16 * TM.Value * Warps, keys = 8 * TN.Value, head = traits.HeadSize;
        Shared<T> queryTile = Shared.Allocate<T>(queries * stride), keyTiles = Shared.Allocate<T>(2 * keys * stride), valueTiles = Shared.Allocate<T>(2 * keys * stride);
        ulong stream = traits.Dropout ? sizes.Key.Stream : 0;
        Shared<UInt2> bits = Shared.Allocate<UInt2>(traits.Dropout ? 2 * queries : 1);

        // causal: the last queries see the most keys and start first
        int blocks = (sizes.QueryLength + queries - 1) / queries, batchHead = Grid.IndexX / blocks, block = Grid.IndexX % blocks;
        int firstQuery = (traits.Causal ? blocks - 1 - block : block) * queries, warpQuery = firstQuery + (16 * TM.Value * Warp.Index);
        int length = traits.KeysOf(lengths, batchHead / sizes.Heads, sizes.KeyLength);
        int end = traits.Causal ? Math.Clamp(firstQuery + queries + sizes.Offset, 0, length) : length;
        int open = traits.Causal ? Math.Clamp(firstQuery + 1 + sizes.Offset, 0, length) : length;
        int steps = (end + keys - 1) / keys, openSteps = open / keys;

        ReadOnlyView<T> headKeys = k.From(sizes.Origin(batchHead, sizes.KeyLength, 0, head)), headValues = v.From(sizes.Origin(batchHead, sizes.KeyLength, 0, head));
        Tile.Clear(queryTile, stride, queries, head, depth);
        Tile.Clear(keyTiles, stride, 2 * keys, head, depth);
        Tile.Clear(valueTiles, stride, 2 * keys, head, depth);
        Tile.Load(
            queryTile, stride, queries, head, q.From(sizes.Origin(batchHead, sizes.QueryLength, firstQuery, head)), sizes.Width, sizes.QueryLength - firstQuery, head, traits.Vectors);
        Tile.Load(keyTiles, stride, keys, head, headKeys, sizes.Width, length, head, traits.Vectors);
        Tile.Load(valueTiles, stride, keys, head, headValues, sizes.Width, length, head, traits.Vectors);
        AsyncCopy.Commit();

        Rows<TM, TD> rows = default;
        rows.Output.Fill(default);
        rows.Maximum.Fill(float.NegativeInfinity);
        rows.Sum.Fill(0);
        for (int step = 0; step < steps; step++)
        {
            Loop.Keep();
            int now = (step & 1) * keys * stride, next = (~step & 1) * keys * stride, firstKey = step * keys, nextKey = firstKey + keys;
            AsyncCopy.Wait(0);
            Shared<UInt2> stepBits = bits;
            if (traits.Dropout)
            {
                stepBits = bits.From((step & 1) * queries);
                DropoutBits.Make(stepBits, queries, 1, batchHead, firstQuery, firstKey, sizes, stream);
            }

            // every thread has left the step before: its tiles may be overwritten
            Group.Barrier();
            if (step + 1 < steps)
            {
                Tile.Load(keyTiles.From(next), stride, keys, head, headKeys.From((long)nextKey * sizes.Width), sizes.Width, length - nextKey, head, traits.Vectors);
                Tile.Load(valueTiles.From(next), stride, keys, head, headValues.From((long)nextKey * sizes.Width), sizes.Width, length - nextKey, head, traits.Vectors);
                AsyncCopy.Commit();
            }

            Shared<T> warpQueries = queryTile.From(16 * TM.Value * stride * Warp.Index);
            Registers<Float4, Times<TM, TN>> scores = default;
            scores.Fill(default);
            TProduct.RowsByRows(ref scores, warpQueries, keyTiles.From(now), depth, stride);
            if (step >= openSteps)
            {
                FlashScores.HideKeys(ref scores, warpQuery, firstKey, length, sizes.Offset, traits.Causal);
            }

            Softmax(ref scores, ref rows, sizes.Scale2);
            if (traits.Dropout)
            {
                FlashScores.Drop(ref scores, stepBits.From(16 * TM.Value * Warp.Index));
            }

            TProduct.RegistersByColumns(ref rows.Output, ref scores, valueTiles.From(now), stride);
        }

        Finish<TProduct, T, TM, TD>(ref rows, y, rest, lse, batchHead, warpQuery, sizes, traits);
    }

    // scores become exp2(Scale2 · (score − m)); what was summed under an older maximum shrinks to the new one
    private static void Softmax<TM, TN, TD>(ref Registers<Float4, Times<TM, TN>> scores, ref Rows<TM, TD> rows, float scale2)
        where TM : struct, ICount
        where TN : struct, ICount
        where TD : struct, ICount
    {
        for (int m = 0; m < TM.Value; m++)
        {
            float upper = rows.Maximum[2 * m], lower = rows.Maximum[(2 * m) + 1];
            float upperMost = upper, lowerMost = lower;
            for (int n = 0; n < TN.Value; n++)
            {
                Float4 s = scores[(m * TN.Value) + n];
                upperMost = MathF.Max(upperMost, MathF.Max(s.X, s.Y));
                lowerMost = MathF.Max(lowerMost, MathF.Max(s.Z, s.W));
            }

            upperMost = QuadMax(upperMost);
            lowerMost = QuadMax(lowerMost);
            rows.Maximum[2 * m] = upperMost;
            rows.Maximum[(2 * m) + 1] = lowerMost;
            float upperShift = Shift(upperMost, scale2), lowerShift = Shift(lowerMost, scale2);
            float upperShrink = FlashScores.Probability(upper, scale2, upperShift), lowerShrink = FlashScores.Probability(lower, scale2, lowerShift);
            float upperSum = rows.Sum[2 * m] * upperShrink, lowerSum = rows.Sum[(2 * m) + 1] * lowerShrink;
            for (int n = 0; n < TN.Value; n++)
            {
                Float4 s = scores[(m * TN.Value) + n];
                float x = FlashScores.Probability(s.X, scale2, upperShift), y = FlashScores.Probability(s.Y, scale2, upperShift);
                float z = FlashScores.Probability(s.Z, scale2, lowerShift), w = FlashScores.Probability(s.W, scale2, lowerShift);
                upperSum += x + y;
                lowerSum += z + w;
                scores[(m * TN.Value) + n] = new Float4(x, y, z, w);
            }

            rows.Sum[2 * m] = upperSum;
            rows.Sum[(2 * m) + 1] = lowerSum;
            Scale(ref rows.Output, m, upperShrink, lowerShrink);
        }
    }

    private static void Finish<TProduct, T, TM, TD>(ref Rows<TM, TD> rows, View<T> y, View<T> rest, View<float> lse, int batchHead, int warpQuery, AttentionSizes sizes, AttentionTraits traits)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TM : struct, ICount
        where TD : struct, ICount
    {
        int row = Warp.Lane >> 2;
        for (int m = 0; m < TM.Value; m++)
        {
            float upper = QuadSum(rows.Sum[2 * m]), lower = QuadSum(rows.Sum[(2 * m) + 1]);
            Scale(ref rows.Output, m, upper > 0 ? sizes.Kept / upper : 0, lower > 0 ? sizes.Kept / lower : 0);
            int query = warpQuery + (16 * m) + row;
            View<float> headLse = lse.From((long)batchHead * sizes.QueryLength);
            if ((Warp.Lane & 3) == 0)
            {
                if (query < sizes.QueryLength)
                {
                    headLse[query] = LogSum(rows.Maximum[2 * m], upper, sizes.Scale);
                }

                if (query + 8 < sizes.QueryLength)
                {
                    headLse[query + 8] = LogSum(rows.Maximum[(2 * m) + 1], lower, sizes.Scale);
                }
            }
        }

        long first = sizes.Origin(batchHead, sizes.QueryLength, warpQuery, traits.HeadSize);
        Tile.Store<TProduct, T, TM, TD>(ref rows.Output, y.From(first), sizes.Width, sizes.QueryLength - warpQuery, traits.HeadSize, traits.Pairs);
        if (traits.HasRest)
        {
            for (int i = 0; i < TM.Value * TD.Value; i++)
            {
                Float4 o = rows.Output[i];
                rows.Output[i] = new Float4(Rest<TProduct, T>(o.X), Rest<TProduct, T>(o.Y), Rest<TProduct, T>(o.Z), Rest<TProduct, T>(o.W));
            }

            Tile.Store<TProduct, T, TM, TD>(ref rows.Output, rest.From(first), sizes.Width, sizes.QueryLength - warpQuery, traits.HeadSize, traits.Pairs);
        }
    }

    // what rounding takes
    private static float Rest<TProduct, T>(float value)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged => value - TProduct.Widen(TProduct.Narrow(value));

    private static void Scale<TM, TD>(ref Registers<Float4, Times<TM, TD>> output, int m, float upper, float lower)
        where TM : struct, ICount
        where TD : struct, ICount
    {
        for (int d = 0; d < TD.Value; d++)
        {
            Float4 o = output[(m * TD.Value) + d];
            output[(m * TD.Value) + d] = new Float4(o.X * upper, o.Y * upper, o.Z * lower, o.W * lower);
        }
    }

    // −m · Scale2, and 0 where nothing was seen yet, so that −∞ − m stays −∞
    public static float Shift(float maximum, float scale2) => maximum == float.NegativeInfinity ? 0 : -maximum * scale2;

    public static float LogSum(float maximum, float sum, float scale) =>
        maximum == float.NegativeInfinity ? maximum : GpuMath.Fma(maximum, scale, GpuMath.Log2Approximate(sum) * Base2.Ln2);

    public static float QuadMax(float x)
    {
        x = MathF.Max(x, Warp.ShuffleXor(x, 1));
        return MathF.Max(x, Warp.ShuffleXor(x, 2));
    }

    public static float QuadSum(float x)
    {
        x += Warp.ShuffleXor(x, 1);
        return x + Warp.ShuffleXor(x, 2);
    }

    /// <summary>What a lane keeps of its 2·M rows: the output, and maximum and partial sum of rows g and g + 8 of every block.</summary>
    private struct Rows<TM, TD>
        where TM : struct, ICount
        where TD : struct, ICount
    {
        public Registers<Float4, Times<TM, TD>> Output;
        public Registers<float, Times<TM, N2>> Maximum;
        public Registers<float, Times<TM, N2>> Sum;
    }
}
