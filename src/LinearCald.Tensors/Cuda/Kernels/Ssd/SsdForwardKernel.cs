using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// The scan of Mamba-2 (Dao and Gu 2024, arXiv 2405.21060): a group of four warps owns a block of features of one head of one row, or of one segment of it, and walks over its chunks with
/// the state H [N, P] in registers. With s_i = Σ_{j ≤ i} Δ_j A: y_i = exp(s_i) C_i H + Σ_{j ≤ i} (C_i · B_j) exp(s_i − s_j) Δ_j x_j + D x_i;
/// H ← exp(s_last) H + Σ_j B_jᵀ exp(s_last − s_j) Δ_j x_j. The next chunk's copy is under way while one is computed on.
/// </summary>
/// <remarks>
/// Floor a step and head: 2 Q (N + P) + 4 N P operations, Q the chunk; the bytes of x, y and, once a block, b and c. Decays, sums and states are float32; operands of products are
/// rounded to the data's type.
/// </remarks>
internal static class SsdForwardKernel
{
    /// <summary>Grid: blocks of features · heads · rows · segments, blocks fastest. Group: 128.</summary>
    /// <typeparam name="TProduct">The arithmetic.</typeparam>
    /// <typeparam name="T">What device memory holds.</typeparam>
    /// <typeparam name="TS">Blocks of 16 rows of the state a warp: 64 times this hold N.</typeparam>
    /// <typeparam name="TP">Blocks of 8 features a group.</typeparam>
    [Kernel(Name = "ssd_forward")]
    public static void Run<TProduct, T, TS, TP>(SsdInputs<T> inputs, View<T> y, View<T> saved, View<float> initial, View<float> final, SsdCarry carry, SsdSizes sizes, [Constant] SsdTraits traits)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TS : struct, ICount
        where TP : struct, ICount
    {
        const int Q = SsdSizes.Chunk;
        int states = 64 * TS.Value, columns = 8 * TP.Value, wide = states + TProduct.Padding, narrow = columns + TProduct.Padding;
        Shared<T> bTiles = Shared.Allocate<T>(2 * Q * wide), cTiles = Shared.Allocate<T>(2 * Q * wide);
        Shared<T> xTile = Shared.Allocate<T>(Q * narrow), scaledTile = Shared.Allocate<T>(Q * narrow), stateTile = Shared.Allocate<T>(states * narrow);
        SsdDecays bothDecays = SsdDecays.Allocate(2);

        SsdPlace place = new(sizes, traits);
        int batchHead = place.BatchHead, column = place.Block * columns, head = place.Head;
        int validColumns = traits.HeadSize % columns == 0 ? columns : Math.Min(columns, traits.HeadSize - column), warpRow = 16 * Warp.Index;
        SsdPath path = sizes.Path(inputs.Lengths, place.Batch, traits);
        SsdStreams<T> streams = new(path, head, column, sizes, traits);
        float a = inputs.A[head], bias = traits.HasBias ? inputs.DeltaBias[head] : 0f, d = traits.HasD ? inputs.D[head] : 0f;
        long stateAt = (long)batchHead * traits.HeadSize * traits.StateSize;

        Registers<Float4, Times<TS, TP>> state = default;
        state.Fill(default);
        if (traits.HasInitial)
        {
            SsdStates.Read(ref state, initial, stateAt, column, traits);
        }

        int begin = 0, end = SsdSizes.ChunksOf(path.Steps);
        if (traits.IsCut)
        {
            begin = path.FirstChunk(place.Turn, sizes);
            end = path.FirstChunk(place.Turn + 1, sizes);
            carry.Enter(ref state, place.Team, place.Turn, sizes);
        }

        SsdStates.WriteTile<TProduct, T, TS, TP>(ref state, stateTile, narrow);
        int even = begin & 1; // the first chunk's half of what is double
        streams.LoadB(bTiles.From(even * Q * wide), wide, states, inputs.B, begin * Q, traits);
        streams.LoadC(cTiles.From(even * Q * wide), wide, states, inputs.C, begin * Q, traits);
        streams.LoadX(xTile, narrow, columns, inputs.X, begin * Q, validColumns, traits);
        AsyncCopy.Commit();
        SsdRawDeltas raw = SsdRawDeltas.Read<TProduct, T>(inputs.Delta, inputs.Sequences, path, begin * Q, head, sizes, traits);
        for (int k = begin; k < end; k++)
        {
            Loop.Keep();
            int now = k & 1, next = ~k & 1, firstStep = k * Q;
            SsdDecays decays = bothDecays.Copy(now);
            if (Warp.Index == 0)
            {
                decays.Compute(raw, path.Steps - firstStep, bias, a, sizes, traits);
            }

            if (traits.Saves)
            {
                SsdStates.Keep<TProduct, T, TS, TP>(
                    ref state, saved, (((long)batchHead * sizes.Chunks) + k) * traits.StateSize * traits.HeadSize, column, validColumns, traits);
            }

            AsyncCopy.Wait(0);

            // tiles, decays and the rounded state are there, and every thread has left the products of the chunk before
            Group.Barrier();
            if (k + 1 < end)
            {
                streams.LoadB(bTiles.From(next * Q * wide), wide, states, inputs.B, firstStep + Q, traits);
                streams.LoadC(cTiles.From(next * Q * wide), wide, states, inputs.C, firstStep + Q, traits);
                AsyncCopy.Commit();
                raw = SsdRawDeltas.Read<TProduct, T>(inputs.Delta, inputs.Sequences, path, firstStep + Q, head, sizes, traits);
            }

            Shared<T> bTile = bTiles.From(now * Q * wide), cRows = cTiles.From(((now * Q) + warpRow) * wide);
            Registers<Float4, Times<N1, TP>> output = default;
            output.Fill(default);
            TProduct.RowsByColumns(ref output, cRows, stateTile, states, wide, narrow);
            ScaleRows(ref output, decays.Entry);
            Registers<Float4, Times<N1, N8>> weights = default;
            weights.Fill(default);
            TProduct.RowsByRows(ref weights, cRows, bTile, states, wide);
            Weigh(ref weights, decays);
            TProduct.RegistersByColumns(ref output, ref weights, xTile, narrow);
            Finish<TProduct, T, TP>(ref output, xTile, scaledTile, narrow, decays, d);
            SsdTiles.Store<TProduct, T, TP>(
                ref output, y, streams.At(sizes.YPitch, firstStep + warpRow, traits) + streams.Feature, traits.Step(sizes.YPitch), path.Steps - firstStep - warpRow, validColumns, traits.Pairs);

            // all scaled rows are there, and no thread reads x or the rounded state any more
            Group.Barrier();
            if (k + 1 < end)
            {
                streams.LoadX(xTile, narrow, columns, inputs.X, firstStep + Q, validColumns, traits);
                AsyncCopy.Commit();
            }

            SsdStates.Scale(ref state, decays.Total[0]);
            TProduct.ColumnsByColumns(ref state, bTile.From(16 * TS.Value * Warp.Index), scaledTile, Q, wide, narrow);
            SsdStates.WriteTile<TProduct, T, TS, TP>(ref state, stateTile, narrow);
        }

        SsdTiles.ClearPadding(y, sizes.YPitch, path, streams.Feature, validColumns, place.Turn, sizes, traits);
        if (traits.HasFinal)
        {
            if (place.Turn == sizes.Segments - 1)
            {
                SsdStates.Write(ref state, final, stateAt, column, traits);
            }
        }
    }

    /// <summary>Multiplies the warp's 16 rows by factors of its steps.</summary>
    public static void ScaleRows<TN>(ref Registers<Float4, Times<N1, TN>> block, Shared<float> factors)
        where TN : struct, ICount
    {
        int row = (16 * Warp.Index) + (Warp.Lane >> 2);
        float upper = factors[row], lower = factors[row + 8];
        for (int n = 0; n < TN.Value; n++)
        {
            Float4 v = block[n];
            block[n] = new Float4(v.X * upper, v.Y * upper, v.Z * lower, v.W * lower);
        }
    }

    /// <summary>Multiplies element (i, j) of the warp's rows i by exp(s_i − s_j) Δ_j where j ≤ i, and by 0 elsewhere: scores C_i · B_j become the weights of x_j in y_i.</summary>
    public static void Weigh(ref Registers<Float4, Times<N1, N8>> weights, SsdDecays decays)
    {
        int i = (16 * Warp.Index) + (Warp.Lane >> 2), quad = Warp.Lane & 3;
        float high = decays.High[i], low = decays.Low[i], start = decays.Start[i], lowerHigh = decays.High[i + 8], lowerLow = decays.Low[i + 8], lowerStart = decays.Start[i + 8];
        for (int n = 0; n < 8; n++)
        {
            int pair = (4 * n) + quad, j = 2 * pair;
            Float2 h = decays.High.As<Float2>()[pair], l = decays.Low.As<Float2>()[pair], delta = decays.Delta.As<Float2>()[pair];
            Float4 v = weights[n];
            weights[n] = new Float4(
                v.X * delta.X * SsdDecays.Between(high - h.X, low - l.X, i, j, start),
                v.Y * delta.Y * SsdDecays.Between(high - h.Y, low - l.Y, i, j + 1, start),
                v.Z * delta.X * SsdDecays.Between(lowerHigh - h.X, lowerLow - l.X, i + 8, j, lowerStart),
                v.W * delta.Y * SsdDecays.Between(lowerHigh - h.Y, lowerLow - l.Y, i + 8, j + 1, lowerStart));
        }
    }

    // output += D x, and the rows of x as they enter the state
    private static void Finish<TProduct, T, TP>(ref Registers<Float4, Times<N1, TP>> output, Shared<T> x, Shared<T> scaled, int stride, SsdDecays decays, float d)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TP : struct, ICount
    {
        int row = (16 * Warp.Index) + (Warp.Lane >> 2), at = (row * stride) + ((Warp.Lane & 3) * 2);
        float upper = decays.Exit[row] * decays.Delta[row], lower = decays.Exit[row + 8] * decays.Delta[row + 8];
        for (int n = 0; n < TP.Value; n++)
        {
            int first = at + (8 * n), second = first + (8 * stride);
            Float2 u = TProduct.ReadPair(x, first), l = TProduct.ReadPair(x, second);
            Float4 o = output[n];
            output[n] = new Float4(GpuMath.Fma(d, u.X, o.X), GpuMath.Fma(d, u.Y, o.Y), GpuMath.Fma(d, l.X, o.Z), GpuMath.Fma(d, l.Y, o.W));
            TProduct.WritePair(scaled, first, u.X * upper, u.Y * upper);
            TProduct.WritePair(scaled, second, l.X * lower, l.Y * lower);
        }
    }
}
