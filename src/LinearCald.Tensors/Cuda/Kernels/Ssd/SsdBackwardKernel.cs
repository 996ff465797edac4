using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Where the backward pass writes.</summary>
internal struct SsdOutputs<T>
    where T : unmanaged
{
    /// <summary>Gradient of x, at <see cref="XPitch"/>.</summary>
    public View<T> X;

    public int XPitch;

    /// <summary>[Blocks][rows][H], of the rows of this launch as the next two: shares of the gradient of delta.</summary>
    public View<float> Delta;

    /// <summary>[heads of a group · Blocks][rows][G·N]: shares of the gradient of b.</summary>
    public View<float> B;

    /// <summary>[heads of a group · Blocks][rows][G·N]: shares of the gradient of c.</summary>
    public View<float> C;

    /// <summary>[3][B · Segments · Blocks][H]: shares of the gradients of a, d and the bias of delta.</summary>
    public View<float> Sums;

    /// <summary>[B, H, P, N]: gradient of the initial state, or empty.</summary>
    public View<float> Initial;
}

/// <summary>
/// The backward pass of the scan of Mamba-2: a group of four warps owns a block of features of one head of one row, or of one segment of it, and walks over its chunks in reverse with
/// dH [N, P], the gradient of the state behind the chunk, in registers; the states on entry come from the forward pass. With L_ij = exp(s_i − s_j) for j ≤ i, G = C Bᵀ,
/// K = dy xᵀ, e_i = exp(s_i), r_j = exp(s_last − s_j): du = (G ∘ L)ᵀ dy + r B dH, dx = Δ du + D dy, dB = (Δ K ∘ L)ᵀ C + r Δ x dHᵀ, dC = (K ∘ L Δ) B + e dy Hᵀ,
/// dH ← exp(s_last) dH + Cᵀ (e dy). What is summed over heads is left as a share of each.
/// </summary>
/// <remarks>
/// Warps own 16 steps j for du and dB, then the same 16 as steps i for dC. The gradient of Δ_k A collects what decays across step k, see <see cref="Cpu.SsdBackward{T, TV}"/>:
/// as a sum of such terms nothing cancels.
/// </remarks>
internal static class SsdBackwardKernel
{
    /// <summary>Grid, group and types as <see cref="SsdForwardKernel.Run"/>.</summary>
    [Kernel(Name = "ssd_backward")]
    public static void Run<TProduct, T, TS, TP>(SsdInputs<T> inputs, ReadOnlyView<T> gy, ReadOnlyView<T> saved, SsdOutputs<T> outputs, SsdCarry carry, SsdSizes sizes, [Constant] SsdTraits traits)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TS : struct, ICount
        where TP : struct, ICount
    {
        const int Q = SsdSizes.Chunk;
        int states = 64 * TS.Value, columns = 8 * TP.Value, wide = states + TProduct.Padding, narrow = columns + TProduct.Padding;
        SsdBackwardTiles<T> tiles = SsdBackwardTiles<T>.Allocate(Q, states, wide, narrow);
        SsdDecays decays = SsdDecays.Allocate(1);

        SsdPlace place = new(sizes, traits);
        int block = place.Block, batchHead = place.BatchHead, column = block * columns, head = place.Head;
        int validColumns = traits.HeadSize % columns == 0 ? columns : Math.Min(columns, traits.HeadSize - column), warpRow = 16 * Warp.Index;
        SsdPath path = sizes.Path(inputs.Lengths, place.Batch, traits);
        SsdStreams<T> streams = new(path, head, column, sizes, traits);
        float a = inputs.A[head], bias = traits.HasBias ? inputs.DeltaBias[head] : 0f, d = traits.HasD ? inputs.D[head] : 0f;
        int width = sizes.Groups * traits.StateSize, part = (head % sizes.HeadsPerGroup * sizes.Blocks) + block;

        // where a share's row 0 would lie: the shares begin with the first row of this launch
        long rows = (long)sizes.Batches * sizes.Length, skipped = (long)sizes.FirstBatch * sizes.Length;
        long partAt = ((part * rows) - skipped) * width, deltaAt = (((block * rows) - skipped) * sizes.Heads) + head;

        Registers<Float4, Times<TS, TP>> state = default; // dH
        state.Fill(default);
        int segment = 0, begin = 0, end = SsdSizes.ChunksOf(path.Steps);
        if (traits.IsCut)
        {
            segment = sizes.Segments - 1 - place.Turn;
            begin = path.FirstChunk(segment, sizes);
            end = path.FirstChunk(segment + 1, sizes);
            carry.Enter(ref state, place.Team, place.Turn, sizes);
        }

        SsdStates.WriteTile<TProduct, T, TS, TP>(ref state, tiles.StateGradient, narrow);
        SsdSums sums = default;
        SsdRawDeltas raw = default;
        if (end > begin)
        {
            LoadAllButC(tiles, streams, inputs, gy, saved, batchHead, end - 1, column, states, columns, wide, narrow, validColumns, sizes, traits);
            streams.LoadC(tiles.C, wide, states, inputs.C, (end - 1) * Q, traits);
            raw = SsdRawDeltas.Read<TProduct, T>(inputs.Delta, inputs.Sequences, path, (end - 1) * Q, head, sizes, traits);
        }

        AsyncCopy.Commit();
        for (int k = end - 1; k >= begin; k--)
        {
            Loop.Keep();
            int firstStep = k * Q, left = path.Steps - firstStep;
            if (Warp.Index == 0)
            {
                decays.Compute(raw, left, bias, a, sizes, traits);
            }

            AsyncCopy.Wait(0);

            // tiles, decays and the rounded dH are there
            Group.Barrier();
            sums.D += ByInputs<TProduct, T, TS, TP>(tiles, decays, wide, narrow, states, columns, outputs, streams, partAt, width, firstStep, left, validColumns, d, traits);
            ByOutputs<TProduct, T, TS>(tiles, decays, wide, narrow, columns, outputs, streams, partAt, width, firstStep, left, traits);
            ScaleGradients<TProduct, T, TP>(tiles, decays, narrow);
            float carried = Warp.Sum(SsdStates.Dot<TProduct, T, TS, TP>(ref state, tiles.State, narrow));
            if (Warp.Lane == 0)
            {
                tiles.Carried[Warp.Index] = carried;
            }

            // the scaled dy and all sums by step are there, and only C and the scaled dy are still read
            Group.Barrier();
            if (k > begin)
            {
                LoadAllButC(tiles, streams, inputs, gy, saved, batchHead, k - 1, column, states, columns, wide, narrow, validColumns, sizes, traits);
            }

            SsdStates.Scale(ref state, decays.Total[0]);
            TProduct.ColumnsByColumns(ref state, tiles.C.From(16 * TS.Value * Warp.Index), tiles.Scaled, Q, wide, narrow);
            SsdStates.WriteTile<TProduct, T, TS, TP>(ref state, tiles.StateGradient, narrow);
            if (Warp.Index == 0)
            {
                Collect(ref sums, tiles, decays, outputs.Delta, deltaAt, path, firstStep, a, sizes, traits);
            }

            // nobody reads C, decays or sums of this chunk any more
            Group.Barrier();
            if (k > begin)
            {
                streams.LoadC(tiles.C, wide, states, inputs.C, firstStep - Q, traits);
                AsyncCopy.Commit();
                raw = SsdRawDeltas.Read<TProduct, T>(inputs.Delta, inputs.Sequences, path, firstStep - Q, head, sizes, traits);
            }
        }

        SsdTiles.ClearPadding(outputs.X, outputs.XPitch, path, streams.Feature, validColumns, place.Turn, sizes, traits);
        if (traits.HasInitial)
        {
            if (segment == 0)
            {
                SsdStates.Write(ref state, outputs.Initial, (long)batchHead * traits.HeadSize * traits.StateSize, column, traits);
            }
        }

        int parts = sizes.Segments * sizes.Blocks, sample = (place.Batch * parts) + (segment * sizes.Blocks) + block;
        sums.Write(outputs.Sums, tiles.Carried, sample * sizes.Heads, sizes.Batch * parts * sizes.Heads, head);
    }

    private static void LoadAllButC<T>(
        SsdBackwardTiles<T> tiles, SsdStreams<T> streams, SsdInputs<T> inputs, ReadOnlyView<T> gy, ReadOnlyView<T> saved, int batchHead, int chunk, int column, int states, int columns, int wide, int narrow,
        int validColumns, SsdSizes sizes, SsdTraits traits)
        where T : unmanaged
    {
        int step = chunk * SsdSizes.Chunk;
        streams.LoadB(tiles.B, wide, states, inputs.B, step, traits);
        streams.LoadX(tiles.X, narrow, columns, inputs.X, step, validColumns, traits);
        streams.LoadFeatures(tiles.OutputGradient, narrow, columns, gy, sizes.YPitch, step, validColumns, traits);
        long at = (((long)batchHead * sizes.Chunks) + chunk) * traits.StateSize * traits.HeadSize;
        SsdTiles.Load(tiles.State, narrow, states, columns, saved, at + column, traits.HeadSize, traits.StateSize, validColumns, traits.Vectors);
    }

    /// <summary>By rows j: du and dx, dB, and their sums by step. Returns a lane's share of Σ x · dy.</summary>
    private static float ByInputs<TProduct, T, TS, TP>(
        SsdBackwardTiles<T> tiles, SsdDecays decays, int wide, int narrow, int states, int columns, SsdOutputs<T> outputs, SsdStreams<T> streams, long partAt, int width, int firstStep, int left,
        int validColumns, float d, SsdTraits traits)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TS : struct, ICount
        where TP : struct, ICount
    {
        int warpRow = 16 * Warp.Index;
        Shared<T> bRows = tiles.B.From(warpRow * wide), xRows = tiles.X.From(warpRow * narrow);
        Registers<Float4, Times<N1, N8>> weights = default, slopes = default; // (G ∘ L)ᵀ and (Δ K ∘ L)ᵀ: rows j, columns i
        weights.Fill(default);
        slopes.Fill(default);
        TProduct.RowsByRows(ref weights, bRows, tiles.C, states, wide);
        TProduct.RowsByRows(ref slopes, xRows, tiles.OutputGradient, columns, narrow);
        SsdCrossings.Weigh(ref weights, ref slopes, decays, tiles.Across);

        Registers<Float4, Times<N1, TP>> inputGradient = default;
        inputGradient.Fill(default);
        TProduct.RowsByColumns(ref inputGradient, bRows, tiles.StateGradient, states, wide, narrow);
        SsdForwardKernel.ScaleRows(ref inputGradient, decays.Exit);
        TProduct.RegistersByColumns(ref inputGradient, ref weights, tiles.OutputGradient, narrow);
        float sum = FinishInputs<TProduct, T, TP>(ref inputGradient, tiles, decays, narrow, d);
        SsdTiles.Store<TProduct, T, TP>(
            ref inputGradient, outputs.X, streams.At(outputs.XPitch, firstStep + warpRow, traits) + streams.Feature, traits.Step(outputs.XPitch), left - warpRow, validColumns, traits.Pairs);

        Registers<Float4, Times<N1, Times<TS, N8>>> bGradient = default;
        bGradient.Fill(default);
        TProduct.RowsByRows(ref bGradient, xRows, tiles.StateGradient, columns, narrow);
        SsdForwardKernel.ScaleRows(ref bGradient, decays.Exit);
        SsdForwardKernel.ScaleRows(ref bGradient, decays.Delta);
        RowDots<TProduct, T, Times<TS, N8>>(ref bGradient, bRows, wide, tiles.FromStep);
        TProduct.RegistersByColumns(ref bGradient, ref slopes, tiles.C, wide);
        SsdTiles.Store<FmaProduct, float, Times<TS, N8>>(
            ref bGradient, outputs.B, partAt + streams.At(width, firstStep + warpRow, traits) + streams.Group, traits.Step(width), left - warpRow, traits.StateSize, traits.Pairs);
        return sum;
    }

    /// <summary>By rows i: dC and its sum by step.</summary>
    private static void ByOutputs<TProduct, T, TS>(
        SsdBackwardTiles<T> tiles, SsdDecays decays, int wide, int narrow, int columns, SsdOutputs<T> outputs, SsdStreams<T> streams, long partAt, int width, int firstStep, int left, SsdTraits traits)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TS : struct, ICount
    {
        int warpRow = 16 * Warp.Index;
        Shared<T> gradientRows = tiles.OutputGradient.From(warpRow * narrow);
        Registers<Float4, Times<N1, Times<TS, N8>>> cGradient = default;
        cGradient.Fill(default);
        TProduct.RowsByRows(ref cGradient, gradientRows, tiles.State, columns, narrow);
        SsdForwardKernel.ScaleRows(ref cGradient, decays.Entry);
        RowDots<TProduct, T, Times<TS, N8>>(ref cGradient, tiles.C.From(warpRow * wide), wide, tiles.ToStep);
        Registers<Float4, Times<N1, N8>> slopes = default; // K ∘ L Δ
        slopes.Fill(default);
        TProduct.RowsByRows(ref slopes, gradientRows, tiles.X, columns, narrow);
        SsdForwardKernel.Weigh(ref slopes, decays);
        TProduct.RegistersByColumns(ref cGradient, ref slopes, tiles.B, wide);
        SsdTiles.Store<FmaProduct, float, Times<TS, N8>>(
            ref cGradient, outputs.C, partAt + streams.At(width, firstStep + warpRow, traits) + streams.Group, traits.Step(width), left - warpRow, traits.StateSize, traits.Pairs);
    }

    /// <summary>du becomes dx; leaves x · du by step. Returns a lane's share of Σ x · dy.</summary>
    private static float FinishInputs<TProduct, T, TP>(ref Registers<Float4, Times<N1, TP>> gradient, SsdBackwardTiles<T> tiles, SsdDecays decays, int stride, float d)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TP : struct, ICount
    {
        int row = (16 * Warp.Index) + (Warp.Lane >> 2), at = (row * stride) + ((Warp.Lane & 3) * 2);
        float upper = decays.Delta[row], lower = decays.Delta[row + 8], upperDot = 0f, lowerDot = 0f, sum = 0f;
        for (int n = 0; n < TP.Value; n++)
        {
            int first = at + (8 * n), second = first + (8 * stride);
            Float2 x = TProduct.ReadPair(tiles.X, first), z = TProduct.ReadPair(tiles.X, second);
            Float2 g = TProduct.ReadPair(tiles.OutputGradient, first), h = TProduct.ReadPair(tiles.OutputGradient, second);
            Float4 v = gradient[n];
            upperDot = GpuMath.Fma(x.X, v.X, GpuMath.Fma(x.Y, v.Y, upperDot));
            lowerDot = GpuMath.Fma(z.X, v.Z, GpuMath.Fma(z.Y, v.W, lowerDot));
            sum = GpuMath.Fma(x.X, g.X, GpuMath.Fma(x.Y, g.Y, GpuMath.Fma(z.X, h.X, GpuMath.Fma(z.Y, h.Y, sum))));
            gradient[n] = new Float4(GpuMath.Fma(d, g.X, upper * v.X), GpuMath.Fma(d, g.Y, upper * v.Y), GpuMath.Fma(d, h.X, lower * v.Z), GpuMath.Fma(d, h.Y, lower * v.W));
        }

        WriteRows(tiles.Direct, upperDot, lowerDot);
        return sum;
    }

    /// <summary>Σ block · tile by row, into the warp's 16 places of <paramref name="target"/>.</summary>
    private static void RowDots<TProduct, T, TN>(ref Registers<Float4, Times<N1, TN>> block, Shared<T> rows, int stride, Shared<float> target)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TN : struct, ICount
    {
        int at = ((Warp.Lane >> 2) * stride) + ((Warp.Lane & 3) * 2);
        float upper = 0f, lower = 0f;
        for (int n = 0; n < TN.Value; n++)
        {
            Float2 u = TProduct.ReadPair(rows, at + (8 * n)), l = TProduct.ReadPair(rows, at + (8 * n) + (8 * stride));
            Float4 v = block[n];
            upper = GpuMath.Fma(u.X, v.X, GpuMath.Fma(u.Y, v.Y, upper));
            lower = GpuMath.Fma(l.X, v.Z, GpuMath.Fma(l.Y, v.W, lower));
        }

        WriteRows(target, upper, lower);
    }

    private static void WriteRows(Shared<float> target, float upper, float lower)
    {
        upper = SsdTiles.QuadSum(upper);
        lower = SsdTiles.QuadSum(lower);
        if ((Warp.Lane & 3) == 0)
        {
            int row = (16 * Warp.Index) + (Warp.Lane >> 2);
            target[row] = upper;
            target[row + 8] = lower;
        }
    }

    // the warp's rows of exp(s_i) dy_i
    private static void ScaleGradients<TProduct, T, TP>(SsdBackwardTiles<T> tiles, SsdDecays decays, int stride)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TP : struct, ICount
    {
        int row = (16 * Warp.Index) + (Warp.Lane >> 2), at = (row * stride) + ((Warp.Lane & 3) * 2);
        float upper = decays.Entry[row], lower = decays.Entry[row + 8];
        for (int n = 0; n < TP.Value; n++)
        {
            int first = at + (8 * n), second = first + (8 * stride);
            Float2 u = TProduct.ReadPair(tiles.OutputGradient, first), l = TProduct.ReadPair(tiles.OutputGradient, second);
            TProduct.WritePair(tiles.Scaled, first, u.X * upper, u.Y * upper);
            TProduct.WritePair(tiles.Scaled, second, l.X * lower, l.Y * lower);
        }
    }

    /// <summary>By one warp: the gradient of delta, from everything that was summed by step; lane l does steps 2l and 2l + 1.</summary>
    private static void Collect<T>(
        ref SsdSums sums, SsdBackwardTiles<T> tiles, SsdDecays decays, View<float> target, long first, SsdPath path, int firstStep, float a, SsdSizes sizes, SsdTraits traits)
        where T : unmanaged
    {
        int lane = Warp.Lane, step = 2 * lane;
        Float2 from = tiles.FromStep.As<Float2>()[lane], to = tiles.ToStep.As<Float2>()[lane], direct = tiles.Direct.As<Float2>()[lane];
        Float2 delta = decays.Delta.As<Float2>()[lane], slope = decays.Slope.As<Float2>()[lane];
        float carried = decays.Total[0] * (tiles.Carried[0] + tiles.Carried[1] + tiles.Carried[2] + tiles.Carried[3]);
        float below = from.X + from.Y, above = to.X + to.Y;
        for (int distance = 1; distance < Warp.Size; distance *= 2)
        {
            float lower = Warp.ShuffleUp(below, distance), upper = Warp.ShuffleDown(above, distance);
            below = lane >= distance ? below + lower : below;
            above = lane + distance < Warp.Size ? above + upper : above;
        }

        float before = Warp.ShuffleUp(below, 1), behind = Warp.ShuffleDown(above, 1);
        before = lane == 0 ? 0f : before;
        behind = lane == Warp.Size - 1 ? 0f : behind;
        float crossingFirst = before + above + carried, crossingSecond = before + from.X + to.Y + behind + carried;
        for (int w = 0; w < 4; w++)
        {
            Float2 across = tiles.Across.As<Float2>()[(w * Warp.Size) + lane];
            crossingFirst += across.X;
            crossingSecond += across.Y;
        }

        float rawFirst = GpuMath.Fma(a, crossingFirst, direct.X) * slope.X, rawSecond = GpuMath.Fma(a, crossingSecond, direct.Y) * slope.Y;
        bool hasFirst = firstStep + step < path.Steps, hasSecond = firstStep + step + 1 < path.Steps;
        if (hasFirst)
        {
            target[first + ((long)path.Row(firstStep + step, traits) * sizes.Heads)] = rawFirst;
        }

        if (hasSecond)
        {
            target[first + ((long)path.Row(firstStep + step + 1, traits) * sizes.Heads)] = rawSecond;
        }

        sums.A += GpuMath.Fma(delta.X, crossingFirst, delta.Y * crossingSecond);
        sums.Bias += (hasFirst ? rawFirst : 0f) + (hasSecond ? rawSecond : 0f);
    }
}

/// <summary>The shared memory of the backward pass.</summary>
internal struct SsdBackwardTiles<T>
    where T : unmanaged
{
    public Shared<T> B;
    public Shared<T> C;
    public Shared<T> X;
    public Shared<T> OutputGradient;

    /// <summary>exp(s_i) dy_i.</summary>
    public Shared<T> Scaled;

    /// <summary>The state on entry of the chunk, [N, P].</summary>
    public Shared<T> State;

    /// <summary>dH rounded, [N, P].</summary>
    public Shared<T> StateGradient;

    /// <summary>x · du by step.</summary>
    public Shared<float> Direct;

    /// <summary>What a step brings into the state behind the chunk, by step.</summary>
    public Shared<float> FromStep;

    /// <summary>What a step takes from the state before the chunk, by step.</summary>
    public Shared<float> ToStep;

    /// <summary>What decays across a step within the chunk, by warp and step.</summary>
    public Shared<float> Across;

    /// <summary>⟨H, dH⟩ by warp.</summary>
    public Shared<float> Carried;

    public static SsdBackwardTiles<T> Allocate(int steps, int states, int wide, int narrow) => new()
    {
        B = Shared.Allocate<T>(steps * wide),
        C = Shared.Allocate<T>(steps * wide),
        X = Shared.Allocate<T>(steps * narrow),
        OutputGradient = Shared.Allocate<T>(steps * narrow),
        Scaled = Shared.Allocate<T>(steps * narrow),
        State = Shared.Allocate<T>(states * narrow),
        StateGradient = Shared.Allocate<T>(states * narrow),
        Direct = Shared.Allocate<float>(steps),
        FromStep = Shared.Allocate<float>(steps),
        ToStep = Shared.Allocate<float>(steps),
        Across = Shared.Allocate<float>(4 * steps),
        Carried = Shared.Allocate<float>(4),
    };
}

/// <summary>A lane's shares of the gradients of a head's parameters.</summary>
internal struct SsdSums
{
    public float A;
    public float D;
    public float Bias;

    /// <summary>Adds the lanes, and the warps in order, and writes the three sums <paramref name="stride"/> elements apart.</summary>
    public readonly void Write(View<float> target, Shared<float> warps, int first, int stride, int head)
    {
        float a = Warp.Sum(A), d = Warp.Sum(D), bias = Warp.Sum(Bias);
        Group.Barrier();
        if (Warp.Lane == 0)
        {
            warps[Warp.Index] = d;
        }

        Group.Barrier();
        if (Group.Thread == 0)
        {
            // only the first warp sums over steps
            target[first + head] = a;
            target[stride + first + head] = warps[0] + warps[1] + warps[2] + warps[3];
            target[(2 * stride) + first + head] = bias;
        }
    }
}
