using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// gk and gv of softmax attention: gv = (M ∘ P)ᵀ gy, gk = Scale · dSᵀ q with P, M and dS as in <see cref="FlashQueryGradient"/>. A group of four warps owns 64·M
/// keys of a head and walks over the queries in blocks of 8·N. Scores are computed transposed, keys as rows, so that Pᵀ and dSᵀ are left operands of
/// the next products where they are.
/// </summary>
/// <remarks>Floor: 8 · B · H · Lq · Lk · D operations and one exponential a score.</remarks>
internal static class FlashKeyGradient
{
    private const int Warps = 4;

    /// <summary>Grid: blocks of keys · heads · samples, blocks fastest. Group: 128.</summary>
    /// <typeparam name="TProduct">The arithmetic.</typeparam>
    /// <typeparam name="T">What device memory holds.</typeparam>
    /// <typeparam name="TM">Blocks of 16 keys a warp.</typeparam>
    /// <typeparam name="TN">Blocks of 8 queries a step.</typeparam>
    /// <typeparam name="TD">Blocks of 8 columns that hold a head.</typeparam>
    /// <param name="part">Both gradients, or one where the accumulators of both do not fit into registers.</param>
    [Kernel(Name = "attention_key_gradient")]
    public static void Run<TProduct, T, TM, TN, TD>(
        ReadOnlyView<T> q, ReadOnlyView<T> k, ReadOnlyView<T> v, ReadOnlyView<int> lengths, ReadOnlyView<float> lse, ReadOnlyView<float> dots, ReadOnlyView<T> gy, View<T> gk, View<T> gv,
        AttentionSizes sizes, [Constant] AttentionTraits traits, [Constant] KeyGradientPart part)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TM : struct, ICount
        where TN : struct, ICount
        where TD : struct, ICount
    {
        int depth = 8 * TD.Value, stride = depth + TProduct.Padding, keys = 16 * TM.Value * Warps, queries = 8 * TN.Value, head = traits.HeadSize;
        bool ofKeys = part != KeyGradientPart.Values, ofValues = part != KeyGradientPart.Keys;
        Shared<T> keyTile = Shared.Allocate<T>(keys * stride), valueTile = Shared.Allocate<T>(ofKeys ? keys * stride : 8);
        Shared<T> queryTiles = Shared.Allocate<T>(2 * queries * stride), gradientTiles = Shared.Allocate<T>(2 * queries * stride);
        Shared<Float2> statistics = Shared.Allocate<Float2>(2 * queries);
        ulong stream = traits.Dropout ? sizes.Key.Stream : 0;
        Shared<UInt2> bits = Shared.Allocate<UInt2>(traits.Dropout ? 2 * queries * TM.Value : 1);

        int blocks = (sizes.KeyLength + keys - 1) / keys, batchHead = Grid.IndexX / blocks;
        int firstKey = Grid.IndexX % blocks * keys, warpKey = firstKey + (16 * TM.Value * Warp.Index);
        int length = traits.KeysOf(lengths, batchHead / sizes.Heads, sizes.KeyLength);
        int steps = (sizes.QueryLength + queries - 1) / queries;

        // causal: queries before the first key's own see nothing here
        int start = traits.Causal ? Math.Max(0, firstKey - sizes.Offset) / queries : 0;
        if (firstKey >= length)
        {
            start = steps;
        }

        long keyOrigin = sizes.Origin(batchHead, sizes.KeyLength, firstKey, head), queryOrigin = sizes.Origin(batchHead, sizes.QueryLength, 0, head);
        ReadOnlyView<T> headQueries = q.From(queryOrigin), headGradients = gy.From(queryOrigin);
        ReadOnlyView<float> headLse = lse.From((long)batchHead * sizes.QueryLength), headDots = dots.From((long)batchHead * sizes.QueryLength);
        Tile.Clear(keyTile, stride, keys, head, depth);
        Tile.Clear(queryTiles, stride, 2 * queries, head, depth);
        Tile.Clear(gradientTiles, stride, 2 * queries, head, depth);
        Tile.Load(keyTile, stride, keys, head, k.From(keyOrigin), sizes.Width, length - firstKey, head, traits.Vectors);
        if (ofKeys)
        {
            Tile.Clear(valueTile, stride, keys, head, depth);
            Tile.Load(valueTile, stride, keys, head, v.From(keyOrigin), sizes.Width, length - firstKey, head, traits.Vectors);
        }

        if (start < steps)
        {
            int stage = (start & 1) * queries, first = start * queries;
            LoadQueries(queryTiles, stage * stride, stride, queries, head, headQueries, first, sizes, traits.Vectors);
            LoadQueries(gradientTiles, stage * stride, stride, queries, head, headGradients, first, sizes, traits.Vectors);
            LoadStatistics(statistics.From(stage), queries, headLse, headDots, first, sizes.QueryLength);
        }

        AsyncCopy.Commit();
        Registers<Float4, Times<TM, TD>> keyGradient = default, valueGradient = default;
        keyGradient.Fill(default);
        valueGradient.Fill(default);
        for (int step = start; step < steps; step++)
        {
            Loop.Keep();
            int stage = (step & 1) * queries, nextStage = (~step & 1) * queries, firstQuery = step * queries, nextQuery = firstQuery + queries;
            AsyncCopy.Wait(0);
            Shared<UInt2> stepBits = bits;
            if (traits.Dropout)
            {
                stepBits = bits.From((step & 1) * queries * TM.Value);
                DropoutBits.Make(stepBits, queries, TM.Value, batchHead, firstQuery, firstKey, sizes, stream);
            }

            // every thread has left the step before: its tiles may be overwritten
            Group.Barrier();
            if (step + 1 < steps)
            {
                LoadQueries(queryTiles, nextStage * stride, stride, queries, head, headQueries, nextQuery, sizes, traits.Vectors);
                LoadQueries(gradientTiles, nextStage * stride, stride, queries, head, headGradients, nextQuery, sizes, traits.Vectors);
                LoadStatistics(statistics.From(nextStage), queries, headLse, headDots, nextQuery, sizes.QueryLength);
                AsyncCopy.Commit();
            }

            Shared<T> queryTile = queryTiles.From(stage * stride), gradientTile = gradientTiles.From(stage * stride);
            Shared<Float2> stepStatistics = statistics.From(stage);
            Registers<Float4, Times<TM, TN>> probabilities = default;
            probabilities.Fill(default);
            TProduct.RowsByRows(ref probabilities, keyTile.From(16 * TM.Value * stride * Warp.Index), queryTile, depth, stride);
            if (firstKey + keys > length || (traits.Causal && firstKey + keys - 1 > firstQuery + sizes.Offset))
            {
                FlashScores.HideKeyRows(ref probabilities, warpKey, firstQuery, length, sizes.Offset, traits.Causal);
            }

            Probabilities(ref probabilities, stepStatistics, sizes.Scale2);
            if (ofValues)
            {
                Registers<Float4, Times<TM, TN>> kept = probabilities;
                if (traits.Dropout)
                {
                    Drop(ref kept, stepBits);
                }

                TProduct.RegistersByColumns(ref valueGradient, ref kept, gradientTile, stride);
            }

            if (ofKeys)
            {
                Registers<Float4, Times<TM, TN>> slopes = default;
                slopes.Fill(default);
                TProduct.RowsByRows(ref slopes, valueTile.From(16 * TM.Value * stride * Warp.Index), gradientTile, depth, stride);
                if (traits.Dropout)
                {
                    Drop(ref slopes, stepBits);
                }

                Slopes(ref probabilities, ref slopes, stepStatistics, sizes.Kept);
                TProduct.RegistersByColumns(ref keyGradient, ref slopes, queryTile, stride);
            }
        }

        long warpOrigin = keyOrigin + ((long)16 * TM.Value * Warp.Index * sizes.Width);
        if (ofKeys)
        {
            Scale(ref keyGradient, sizes.Scale);
            Tile.Store<TProduct, T, TM, TD>(ref keyGradient, gk.From(warpOrigin), sizes.Width, sizes.KeyLength - warpKey, head, traits.Pairs);
        }

        if (ofValues)
        {
            Scale(ref valueGradient, sizes.Kept);
            Tile.Store<TProduct, T, TM, TD>(ref valueGradient, gv.From(warpOrigin), sizes.Width, sizes.KeyLength - warpKey, head, traits.Pairs);
        }
    }

    private static void LoadQueries<T>(
        Shared<T> tiles, int at, int stride, int queries, int head, ReadOnlyView<T> rows, int first, AttentionSizes sizes, bool vectors)
        where T : unmanaged =>
        Tile.Load(tiles.From(at), stride, queries, head, rows.From((long)first * sizes.Width), sizes.Width, sizes.QueryLength - first, head, vectors);

    // X: what the exponent gets added, Y: minus the row's dot; queries beyond the last have probability 0
    private static void LoadStatistics(Shared<Float2> target, int queries, ReadOnlyView<float> lse, ReadOnlyView<float> dots, int first, int length)
    {
        for (int i = Group.Thread; i < queries; i += Group.SizeX)
        {
            int query = first + i;
            Float2 x = new(float.NegativeInfinity, 0);
            if (query < length)
            {
                x = new Float2(FlashQueryGradient.Shift(lse[query]), -dots[query]);
            }

            target[i] = x;
        }
    }

    private static void Probabilities<TM, TN>(ref Registers<Float4, Times<TM, TN>> scores, Shared<Float2> statistics, float scale2)
        where TM : struct, ICount
        where TN : struct, ICount
    {
        Shared<Float4> pairs = statistics.As<Float4>().From(Warp.Lane & 3);
        for (int n = 0; n < TN.Value; n++)
        {
            Float4 pair = pairs[4 * n];
            for (int m = 0; m < TM.Value; m++)
            {
                Float4 s = scores[(m * TN.Value) + n];
                scores[(m * TN.Value) + n] = new Float4(
                    FlashScores.Probability(s.X, scale2, pair.X),
                    FlashScores.Probability(s.Y, scale2, pair.Z),
                    FlashScores.Probability(s.Z, scale2, pair.X),
                    FlashScores.Probability(s.W, scale2, pair.Z));
            }
        }
    }

    private static void Slopes<TM, TN>(ref Registers<Float4, Times<TM, TN>> probabilities, ref Registers<Float4, Times<TM, TN>> slopes, Shared<Float2> statistics, float kept)
        where TM : struct, ICount
        where TN : struct, ICount
    {
        Shared<Float4> pairs = statistics.As<Float4>().From(Warp.Lane & 3);
        for (int n = 0; n < TN.Value; n++)
        {
            Float4 pair = pairs[4 * n];
            for (int m = 0; m < TM.Value; m++)
            {
                Float4 p = probabilities[(m * TN.Value) + n], g = slopes[(m * TN.Value) + n];
                slopes[(m * TN.Value) + n] = new Float4(
                    p.X * GpuMath.Fma(g.X, kept, pair.Y), p.Y * GpuMath.Fma(g.Y, kept, pair.W), p.Z * GpuMath.Fma(g.Z, kept, pair.Y), p.W * GpuMath.Fma(g.W, kept, pair.W));
            }
        }
    }

    private static void Drop<TM, TN>(ref Registers<Float4, Times<TM, TN>> block, Shared<UInt2> bits)
        where TM : struct, ICount
        where TN : struct, ICount
    {
        int key = 16 * TM.Value * Warp.Index, row = Warp.Lane >> 2, query = (Warp.Lane & 3) * 2;
        Shared<uint> words = bits.As<uint>();
        for (int m = 0; m < TM.Value; m++)
        {
            int word = (key + (16 * m)) >> 5, shift = ((key + (16 * m)) & 31) + row;
            for (int n = 0; n < TN.Value; n++)
            {
                int at = (((8 * n) + query) * 2 * TM.Value) + word;
                uint left = words[at] >> shift, right = words[at + (2 * TM.Value)] >> shift;
                Float4 p = block[(m * TN.Value) + n];
                block[(m * TN.Value) + n] = new Float4(
                    (left & 1) != 0 ? p.X : 0, (right & 1) != 0 ? p.Y : 0, (left & 0x100) != 0 ? p.Z : 0, (right & 0x100) != 0 ? p.W : 0);
            }
        }
    }

    private static void Scale<TM, TD>(ref Registers<Float4, Times<TM, TD>> gradient, float factor)
        where TM : struct, ICount
        where TD : struct, ICount
    {
        for (int i = 0; i < TM.Value * TD.Value; i++)
        {
            Float4 g = gradient[i];
            gradient[i] = new Float4(g.X * factor, g.Y * factor, g.Z * factor, g.W * factor);
        }
    }
}

/// <summary>Which gradients one launch of <see cref="FlashKeyGradient"/> computes.</summary>
internal enum KeyGradientPart
{
    Both,
    Keys,
    Values,
}
