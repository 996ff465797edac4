using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// gq of softmax attention: with P = exp(Scale · q kᵀ − lse), M the dropout factors and D the row dots of gy and y, dS = P ∘ (M ∘ gy vᵀ − D), gq = Scale · dS k.
/// A group of four warps owns 64·M queries of a head and walks over the keys in blocks of 8·N; P is computed again, so nothing of size Lq · Lk is stored
/// and no two groups write to one place.
/// </summary>
/// <remarks>
/// <para>Floor: 6 · B · H · Lq · Lk · D operations and one exponential a score.</para>
/// <para>
/// Each row of dS sums to 0, but with D from rounded products not quite, and what is left over can outweigh all other rounding in gk. The sum of a row is known once the last
/// key has passed; added to D it makes of it what D stands for, Σ P ∘ M ∘ gy vᵀ unrounded. <see cref="FlashKeyGradient"/> reads that, and so has to run after this kernel.
/// </para>
/// </remarks>
internal static class FlashQueryGradient
{
    private const int Warps = 4;

    /// <summary>Grid and types as <see cref="FlashForward.Run"/>.</summary>
    /// <param name="dots">From <see cref="FlashRowDots"/>; made more exact.</param>
    [Kernel(Name = "attention_query_gradient")]
    public static void Run<TProduct, T, TM, TN, TD>(
        ReadOnlyView<T> q, ReadOnlyView<T> k, ReadOnlyView<T> v, ReadOnlyView<int> lengths, ReadOnlyView<float> lse, View<float> dots, ReadOnlyView<T> gy, View<T> gq,
        AttentionSizes sizes, [Constant] AttentionTraits traits)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TM : struct, ICount
        where TN : struct, ICount
        where TD : struct, ICount
    {
        int depth = 8 * TD.Value, stride = depth + TProduct.Padding, queries = 16 * TM.Value * Warps, keys = 8 * TN.Value, head = traits.HeadSize;
        Shared<T> queryTile = Shared.Allocate<T>(queries * stride), gradientTile = Shared.Allocate<T>(queries * stride);
        Shared<T> keyTiles = Shared.Allocate<T>(2 * keys * stride), valueTiles = Shared.Allocate<T>(2 * keys * stride);
        ulong stream = traits.Dropout ? sizes.Key.Stream : 0;
        Shared<UInt2> bits = Shared.Allocate<UInt2>(traits.Dropout ? 2 * queries : 1);

        int blocks = (sizes.QueryLength + queries - 1) / queries, batchHead = Grid.IndexX / blocks, block = Grid.IndexX % blocks;
        int firstQuery = (traits.Causal ? blocks - 1 - block : block) * queries, warpQuery = firstQuery + (16 * TM.Value * Warp.Index);
        int length = traits.KeysOf(lengths, batchHead / sizes.Heads, sizes.KeyLength);
        int end = traits.Causal ? Math.Clamp(firstQuery + queries + sizes.Offset, 0, length) : length;
        int open = traits.Causal ? Math.Clamp(firstQuery + 1 + sizes.Offset, 0, length) : length;
        int steps = (end + keys - 1) / keys, openSteps = open / keys;

        long queryOrigin = sizes.Origin(batchHead, sizes.QueryLength, firstQuery, head), keyOrigin = sizes.Origin(batchHead, sizes.KeyLength, 0, head);
        ReadOnlyView<T> headKeys = k.From(keyOrigin), headValues = v.From(keyOrigin);
        Tile.Clear(queryTile, stride, queries, head, depth);
        Tile.Clear(gradientTile, stride, queries, head, depth);
        Tile.Clear(keyTiles, stride, 2 * keys, head, depth);
        Tile.Clear(valueTiles, stride, 2 * keys, head, depth);
        Tile.Load(queryTile, stride, queries, head, q.From(queryOrigin), sizes.Width, sizes.QueryLength - firstQuery, head, traits.Vectors);
        Tile.Load(gradientTile, stride, queries, head, gy.From(queryOrigin), sizes.Width, sizes.QueryLength - firstQuery, head, traits.Vectors);
        Tile.Load(keyTiles, stride, keys, head, headKeys, sizes.Width, length, head, traits.Vectors);
        Tile.Load(valueTiles, stride, keys, head, headValues, sizes.Width, length, head, traits.Vectors);
        AsyncCopy.Commit();

        Registers<float, Times<TM, N2>> shifts = default, rowDots = default, residues = default;
        int row = warpQuery + (Warp.Lane >> 2);
        for (int i = 0; i < 2 * TM.Value; i++)
        {
            int query = row + (8 * i);
            long at = ((long)batchHead * sizes.QueryLength) + query;
            shifts[i] = query < sizes.QueryLength ? Shift(lse[at]) : float.NegativeInfinity;
            rowDots[i] = query < sizes.QueryLength ? dots[at] : 0;
            residues[i] = 0;
        }

        Registers<Float4, Times<TM, TD>> gradient = default;
        gradient.Fill(default);
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

            Registers<Float4, Times<TM, TN>> scores = default, slopes = default;
            scores.Fill(default);
            slopes.Fill(default);
            TProduct.RowsByRows(ref scores, queryTile.From(16 * TM.Value * stride * Warp.Index), keyTiles.From(now), depth, stride);
            if (step >= openSteps)
            {
                FlashScores.HideKeys(ref scores, warpQuery, firstKey, length, sizes.Offset, traits.Causal);
            }

            TProduct.RowsByRows(ref slopes, gradientTile.From(16 * TM.Value * stride * Warp.Index), valueTiles.From(now), depth, stride);
            if (traits.Dropout)
            {
                FlashScores.Drop(ref slopes, stepBits.From(16 * TM.Value * Warp.Index));
            }

            Slopes(ref scores, ref slopes, ref shifts, ref rowDots, ref residues, sizes);
            TProduct.RegistersByColumns(ref gradient, ref slopes, keyTiles.From(now), stride);
        }

        for (int i = 0; i < 2 * TM.Value; i++)
        {
            int query = row + (8 * i);
            float dot = rowDots[i] + SsdTiles.QuadSum(residues[i]);
            if ((Warp.Lane & 3) == 0 && query < sizes.QueryLength)
            {
                dots[((long)batchHead * sizes.QueryLength) + query] = dot;
            }
        }

        for (int i = 0; i < TM.Value * TD.Value; i++)
        {
            Float4 g = gradient[i];
            gradient[i] = new Float4(g.X * sizes.Scale, g.Y * sizes.Scale, g.Z * sizes.Scale, g.W * sizes.Scale);
        }

        Tile.Store<TProduct, T, TM, TD>(
            ref gradient, gq.From(queryOrigin + ((long)16 * TM.Value * Warp.Index * sizes.Width)), sizes.Width, sizes.QueryLength - warpQuery, head, traits.Pairs);
    }

    /// <summary>−lse · log₂ e, and −∞ for a row that sees no key, so that its probabilities are 0.</summary>
    public static float Shift(float lse) => lse == float.NegativeInfinity ? lse : -lse * Base2.Log2E;

    // slopes, the gradients of the probabilities, become those of the scores, and residues the lane's share of their sums by row
    private static void Slopes<TM, TN>(
        ref Registers<Float4, Times<TM, TN>> scores, ref Registers<Float4, Times<TM, TN>> slopes, ref Registers<float, Times<TM, N2>> shifts, ref Registers<float, Times<TM, N2>> dots,
        ref Registers<float, Times<TM, N2>> residues, AttentionSizes sizes)
        where TM : struct, ICount
        where TN : struct, ICount
    {
        for (int m = 0; m < TM.Value; m++)
        {
            float upper = shifts[2 * m], lower = shifts[(2 * m) + 1], upperDot = -dots[2 * m], lowerDot = -dots[(2 * m) + 1];
            float upperSum = residues[2 * m], lowerSum = residues[(2 * m) + 1];
            for (int n = 0; n < TN.Value; n++)
            {
                Float4 s = scores[(m * TN.Value) + n], g = slopes[(m * TN.Value) + n];
                Float4 slope = new(
                    FlashScores.Probability(s.X, sizes.Scale2, upper) * GpuMath.Fma(g.X, sizes.Kept, upperDot),
                    FlashScores.Probability(s.Y, sizes.Scale2, upper) * GpuMath.Fma(g.Y, sizes.Kept, upperDot),
                    FlashScores.Probability(s.Z, sizes.Scale2, lower) * GpuMath.Fma(g.Z, sizes.Kept, lowerDot),
                    FlashScores.Probability(s.W, sizes.Scale2, lower) * GpuMath.Fma(g.W, sizes.Kept, lowerDot));
                upperSum += slope.X + slope.Y;
                lowerSum += slope.Z + slope.W;
                slopes[(m * TN.Value) + n] = slope;
            }

            residues[2 * m] = upperSum;
            residues[(2 * m) + 1] = lowerSum;
        }
    }
}
