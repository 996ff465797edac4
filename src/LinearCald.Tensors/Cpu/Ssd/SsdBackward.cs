using System.Numerics;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cpu;

/// <summary>Where a backward pass writes; rows as in <see cref="SsdData{T}"/>.</summary>
internal unsafe struct SsdGradientData<T>
    where T : unmanaged
{
    public Rows<T> Output;  // dy
    public Rows<T> X;
    public Rows<T> Delta;
    public Rows<T> B;       // of run 0 of the heads of each group; run r lies r · Partial elements further
    public Rows<T> C;
    public nint Partial;
    public double* A;         // [B, H], as the next two: shares of one row of the batch
    public double* D;
    public double* DeltaBias;
    public T* InitialState;   // [B, H, P, N] or null
}

/// <summary>
/// Backward pass of a run of heads of one row: a first sweep keeps the state H on entry of each chunk (as [P, N]), then the chunks go by in reverse under the gradient dH of
/// the state behind them. With L_ij = exp(s_i − s_j) for j ≤ i, G = C Bᵀ, u_j = Δ_j x_j, K_ij = dy_i · u_j, e_i = exp(s_i), r_j = exp(s_last − s_j):
/// dG = K ∘ L, summed over the heads; dC = dG B + e dy Hᵀ; dB = dGᵀ C + r u dHᵀ; du = (G ∘ L)ᵀ dy + r B dH; dH ← exp(s_last) dH + Cᵀ (e dy).
/// </summary>
/// <remarks>
/// The gradient of Δ_k A collects what decays across step k: Σ_{i ≥ k > j} K_ij G_ij L_ij + Σ_{i ≥ k} C_i·(e dy Hᵀ)_i + Σ_{j &lt; k} B_j·(r u dHᵀ)_j + exp(s_last)⟨H, dH⟩. As sums of
/// these terms nothing cancels that the result does not; as a sum of gradients of the s_i it would.
/// </remarks>
internal unsafe struct SsdBackward<T, TV> : IParallelBody
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TV : unmanaged, ISimd<TV, T>
{
    public required SsdShape Shape;
    public required SsdData<T> Data;
    public required SsdGradientData<T> Gradient;
    public required SsdCut Cut;

    public readonly void Execute(int index)
    {
        SsdTask task = Cut.Task(in Shape, index);
        SsdWay way = Data.Way(in Shape, task.Batch);
        using Scratch<SsdChunk> cut = new(Math.Max(1, way.Steps));
        ReadOnlySpan<SsdChunk> chunks = new(cut.Pointer, way.Cut(Data.Sequences, Cut.Chunk, Data.InitialState != null, cut.Pointer));
        int kept = 0;
        foreach (SsdChunk chunk in chunks)
        {
            kept = Math.Max(kept, chunk.Slot + 1);
        }

        T* size = null;
        _ = new Tiles(in Shape, in Cut, kept, ref size);
        using Scratch<T> scratch = new((long)size / sizeof(T));
        T* at = scratch.Pointer;
        Tiles tiles = new(in Shape, in Cut, kept, ref at);
        tiles.Chunk.Number();
        new Span<HeadSums>(tiles.Sums, task.Heads).Clear();
        KeepStates(ref tiles, in task, way, chunks);
        bool arrived = false; // whether dH holds anything
        for (int k = chunks.Length - 1; k >= 0; k--)
        {
            Run(ref tiles, in task, way, chunks[k], arrived);
            arrived = !chunks[k].IsFresh;
        }

        Finish(in tiles, in task, way, arrived);
    }

    /// <summary>The states on entry of every chunk that does not start from 0.</summary>
    private readonly void KeepStates(ref Tiles tiles, in SsdTask task, SsdWay way, ReadOnlySpan<SsdChunk> chunks)
    {
        ref SsdChunkTiles<T, TV> c = ref tiles.Chunk;
        for (int h = 0; chunks.Length > 0 && !chunks[0].IsFresh && h < task.Heads; h++)
        {
            Rows<T> state = new(Data.InitialState + ((((long)task.Batch * Shape.Heads) + task.FirstHead + h) * Shape.StateCount), Shape.StateSize);
            TilePacking.Copy<T, TV>(state, c.HeadSize, c.StateSize, T.One, tiles.State(0, h), c.StateStride);
        }

        for (int k = 0; k + 1 < chunks.Length; k++)
        {
            SsdChunk chunk = chunks[k];
            if (chunks[k + 1].IsFresh)
            {
                continue;
            }

            TilePacking.Copy<T, TV>(way.Of(Data.B, (nint)task.Group * Shape.StateSize).From(chunk.First, 0), chunk.Count, c.StateSize, T.One, c.B, c.StateStride);
            for (int h = 0; h < task.Heads; h++)
            {
                ComputeDecays(ref c, way, chunk, task.FirstHead + h);
                SsdRows.CopyScaled<T, TV>(way.Of(Data.X, (nint)(task.FirstHead + h) * c.HeadSize).From(chunk.First, 0), chunk.Count, c.HeadSize, c.Delta, tiles.X, c.HeadStride);
                SsdRows.Scale<T, TV>(tiles.X, chunk.Count, c.HeadStride, c.HeadRegisters, c.Exit);
                T* next = tiles.State(chunks[k + 1].Slot, h);
                if (!chunk.IsFresh)
                {
                    SsdRows.ScaleInto<T, TV>(tiles.State(chunk.Slot, h), c.Total, next, c.HeadSize, c.StateStride, c.StateRegisters);
                }

                TileProduct.Multiply<T, TV, TransposedTile>(
                    TilePacking.Rows(c.HeadSize), c.StateRegisters, chunk.Count, tiles.X, c.HeadStride, c.B, c.StateStride, next, c.StateStride, !chunk.IsFresh);
            }
        }
    }

    private readonly void Run(ref Tiles tiles, in SsdTask task, SsdWay way, SsdChunk chunk, bool arrived)
    {
        ref SsdChunkTiles<T, TV> c = ref tiles.Chunk;
        nint group = (nint)task.Group * Shape.StateSize, run = task.Run * Gradient.Partial;
        c.Load(way.Of(Data.B, group).From(chunk.First, 0), way.Of(Data.C, group).From(chunk.First, 0), chunk.Count);
        c.ComputeScores(chunk.Count);
        tiles.ClearShared(chunk.Count);
        for (int h = 0; h < task.Heads; h++)
        {
            Head(ref tiles, way, chunk, h, task.FirstHead + h, arrived);
        }

        c.LowerTimes(chunk.Count, tiles.ScoreGradients, c.B, c.StateStride, c.StateRegisters, tiles.CGradient, true);
        c.LowerTransposedTimes(chunk.Count, tiles.ScoreGradients, c.C, c.StateStride, c.StateRegisters, tiles.BGradient, true);
        Rows<T> gb = way.Of(Gradient.B, group + run).From(chunk.First, 0), gc = way.Of(Gradient.C, group + run).From(chunk.First, 0);
        for (int i = 0; i < chunk.Count; i++)
        {
            TilePacking.WriteRow<T, TV>(tiles.BGradient + ((nint)i * c.StateStride), T.One, gb[i], c.StateSize);
            TilePacking.WriteRow<T, TV>(tiles.CGradient + ((nint)i * c.StateStride), T.One, gc[i], c.StateSize);
        }
    }

    private readonly void Head(ref Tiles tiles, SsdWay way, SsdChunk chunk, int h, int head, bool arrived)
    {
        ref SsdChunkTiles<T, TV> c = ref tiles.Chunk;
        int count = chunk.Count;
        nint column = (nint)head * c.HeadSize;
        Rows<T> x = way.Of(Data.X, column).From(chunk.First, 0), gy = way.Of(Gradient.Output, column).From(chunk.First, 0);
        ComputeDecays(ref c, way, chunk, head);
        SsdRows.CopyScaled<T, TV>(x, count, c.HeadSize, c.Delta, tiles.X, c.HeadStride);
        TilePacking.CopyTransposed<T, TV>(new Rows<T>(tiles.X, c.HeadStride), count, c.HeadSize, tiles.XTransposed, c.StepStride);
        TilePacking.Copy<T, TV>(gy, count, c.HeadSize, T.One, tiles.OutputGradient, c.HeadStride);
        c.LowerProduct(count, c.HeadSize, tiles.OutputGradient, c.HeadStride, tiles.XTransposed, tiles.Weights);
        WithinChunk(in tiles, count);
        T* state = chunk.IsFresh ? null : tiles.State(chunk.Slot, h), stateGradient = tiles.StateGradients + (h * tiles.StateGradientSize);
        T carried = T.Zero;
        if (arrived)
        {
            carried = FromBehind(in tiles, count, state, stateGradient);
        }

        c.LowerTransposedTimes(count, tiles.Weights, tiles.OutputGradient, c.HeadStride, c.HeadRegisters, tiles.InputGradient, arrived);
        if (!chunk.IsFresh)
        {
            ToBefore(in tiles, count, state, stateGradient, arrived);
        }

        CollectDecays(in tiles, count, arrived, !chunk.IsFresh, carried);
        WriteSteps(in tiles, way, chunk, h, head, x, gy);
    }

    /// <summary>From K in the tile of weights: dG += K ∘ L, the weights G ∘ L in its place, and what decays across each step within the chunk.</summary>
    private static void WithinChunk(in Tiles tiles, int count)
    {
        SsdChunkTiles<T, TV> c = tiles.Chunk;
        new Span<T>(tiles.Below, c.StepStride).Clear();
        for (int i = count - 1; i >= 0; i--)
        {
            nint row = (nint)i * c.StepStride;
            int end = SsdChunkTiles<T, TV>.RowRegisters(i, count) * TV.Width;
            TV across = TV.Of(0.0);
            for (int j = 0; j < end; j += TV.Width)
            {
                // Rows come from the last on: Below_j = Σ_{i' ≥ i} T_i'j, of which step i is crossed by the columns before it.
                TV decay = c.Decay(i, j), product = c.Before(i, j, TV.Load(tiles.Weights + row + j), true), weight = TV.Load(c.Scores + row + j) * decay;
                TV.Fma(product, decay, TV.Load(tiles.ScoreGradients + row + j)).Store(tiles.ScoreGradients + row + j);
                weight.Store(tiles.Weights + row + j);
                TV below = TV.Fma(product, weight, TV.Load(tiles.Below + j));
                below.Store(tiles.Below + j);
                across += c.Before(i, j, below, false);
            }

            tiles.Across[i] = across.SumLanes();
        }
    }

    /// <summary>What dH, the gradient of the state behind the chunk, gives: the shares of du and dB, and exp(s_last)⟨H, dH⟩.</summary>
    private static T FromBehind(in Tiles tiles, int count, T* state, T* stateGradient)
    {
        SsdChunkTiles<T, TV> c = tiles.Chunk;
        int rows = TilePacking.Rows(count);
        TileProduct.Multiply<T, TV, RowMajorTile>(rows, c.HeadRegisters, c.StateSize, c.B, c.StateStride, stateGradient, c.HeadStride, tiles.InputGradient, c.HeadStride, false);
        SsdRows.Scale<T, TV>(tiles.InputGradient, count, c.HeadStride, c.HeadRegisters, c.Exit);
        TilePacking.CopyTransposed<T, TV>(new Rows<T>(stateGradient, c.HeadStride), c.StateSize, c.HeadSize, tiles.StateGradientTransposed, c.StateStride);
        TileProduct.Multiply<T, TV, RowMajorTile>(
            rows, c.StateRegisters, c.HeadSize, tiles.X, c.HeadStride, tiles.StateGradientTransposed, c.StateStride, tiles.Wide, c.StateStride, false);
        for (int j = 0; j < count; j++)
        {
            nint at = (nint)j * c.StateStride;
            tiles.FromStep[j] = SsdRows.ScaleAddDot<T, TV>(tiles.Wide + at, c.Exit[j], tiles.BGradient + at, c.B + at, c.StateRegisters);
        }

        T carried = T.Zero;
        for (int p = 0; state != null && p < c.HeadSize; p++)
        {
            carried += SsdRows.Dot<T, TV>(state + ((nint)p * c.StateStride), tiles.StateGradientTransposed + ((nint)p * c.StateStride), c.StateRegisters);
        }

        return carried * c.Total;
    }

    /// <summary>What the state before the chunk takes part in: the share of dC, and its own gradient. Leaves exp(s_i) dy_i in the tile of dy.</summary>
    private static void ToBefore(in Tiles tiles, int count, T* state, T* stateGradient, bool arrived)
    {
        SsdChunkTiles<T, TV> c = tiles.Chunk;
        SsdRows.Scale<T, TV>(tiles.OutputGradient, count, c.HeadStride, c.HeadRegisters, c.Entry);
        TileProduct.Multiply<T, TV, RowMajorTile>(
            TilePacking.Rows(count), c.StateRegisters, c.HeadSize, tiles.OutputGradient, c.HeadStride, state, c.StateStride, tiles.Wide, c.StateStride, false);
        for (int i = 0; i < count; i++)
        {
            nint at = (nint)i * c.StateStride;
            tiles.ToStep[i] = SsdRows.ScaleAddDot<T, TV>(tiles.Wide + at, T.One, tiles.CGradient + at, c.C + at, c.StateRegisters);
        }

        if (arrived)
        {
            SsdRows.ScaleInto<T, TV>(stateGradient, c.Total, stateGradient, c.StateSize, c.HeadStride, c.HeadRegisters);
        }

        TileProduct.Multiply<T, TV, TransposedTile>(
            TilePacking.Rows(c.StateSize), c.HeadRegisters, count, c.C, c.StateStride, tiles.OutputGradient, c.HeadStride, stateGradient, c.HeadStride, arrived);
    }

    /// <summary>The gradient of every Δ_k A: what crosses step k from within, from the state before and into the state behind the chunk.</summary>
    private static void CollectDecays(in Tiles tiles, int count, bool behind, bool before, T carried)
    {
        T sum = carried;
        for (int k = 0; behind && k < count; k++)
        {
            tiles.Across[k] += sum;
            sum += tiles.FromStep[k];
        }

        sum = T.Zero;
        for (int k = count - 1; before && k >= 0; k--)
        {
            sum += tiles.ToStep[k];
            tiles.Across[k] += sum;
        }
    }

    /// <summary>dx = Δ du + D dy, dΔ = x·du + A d(ΔA) through clamp and softplus, and the shares of the parameters' gradients.</summary>
    private readonly void WriteSteps(in Tiles tiles, SsdWay way, SsdChunk chunk, int h, int head, Rows<T> x, Rows<T> gy)
    {
        SsdChunkTiles<T, TV> c = tiles.Chunk;
        Rows<T> gx = way.Of(Gradient.X, (nint)head * c.HeadSize).From(chunk.First, 0), gdelta = way.Of(Gradient.Delta, head).From(chunk.First, 0);
        T a = Data.A[head], d = Data.D == null ? T.Zero : Data.D[head];
        HeadSums sums = tiles.Sums[h];
        for (int k = 0; k < chunk.Count; k++)
        {
            T* du = tiles.InputGradient + ((nint)k * c.HeadStride);
            (T direct, T skip) = SimdLoop.SumPair<T, StepDots>(0, c.HeadSize, new StepDots(x[k], du, gy[k]));
            SsdRows.Combine<T, TV>(du, c.Delta[k], gy[k], d, gx[k], c.HeadSize);
            T raw = (direct + (a * tiles.Across[k])) * c.Slope[k];
            gdelta[k][0] = raw;
            sums.A += double.CreateTruncating(c.Delta[k]) * double.CreateTruncating(tiles.Across[k]);
            sums.D += double.CreateTruncating(skip);
            sums.DeltaBias += double.CreateTruncating(raw);
        }

        tiles.Sums[h] = sums;
    }

    private readonly void Finish(in Tiles tiles, in SsdTask task, SsdWay way, bool arrived)
    {
        SsdChunkTiles<T, TV> c = tiles.Chunk;
        nint group = ((nint)task.Group * Shape.StateSize) + (task.Run * Gradient.Partial);
        way.ClearPadding(Gradient.X, (nint)task.FirstHead * c.HeadSize, task.Heads * c.HeadSize);
        way.ClearPadding(Gradient.Delta, task.FirstHead, task.Heads);
        way.ClearPadding(Gradient.B, group, c.StateSize);
        way.ClearPadding(Gradient.C, group, c.StateSize);
        for (int h = 0; h < task.Heads; h++)
        {
            long place = ((long)task.Batch * Shape.Heads) + task.FirstHead + h;
            (Gradient.A[place], Gradient.D[place], Gradient.DeltaBias[place]) = (tiles.Sums[h].A, tiles.Sums[h].D, tiles.Sums[h].DeltaBias);
            if (Gradient.InitialState == null)
            {
                continue;
            }

            T* target = Gradient.InitialState + (place * Shape.StateCount);
            if (arrived)
            {
                SsdRows.WriteTransposed(tiles.StateGradients + (h * tiles.StateGradientSize), c.StateSize, c.HeadSize, c.HeadStride, target);
            }
            else
            {
                new Span<T>(target, checked((int)Shape.StateCount)).Clear();
            }
        }
    }

    private readonly void ComputeDecays(ref SsdChunkTiles<T, TV> c, SsdWay way, SsdChunk chunk, int head) => c.ComputeDecays(
        in Shape, way.Of(Data.Delta, head).From(chunk.First, 0), Data.DeltaBias == null ? T.Zero : Data.DeltaBias[head], Data.A[head], chunk.Count);

    private struct HeadSums
    {
        public double A;
        public double D;
        public double DeltaBias;
    }

    /// <summary>x · du and x · dy.</summary>
    private readonly struct StepDots(T* x, T* du, T* gy) : ISimdPairFold<T>
    {
        public void Step<TW>(ref TW first, ref TW second, nint i)
            where TW : unmanaged, ISimd<TW, T>
        {
            TW value = TW.Load(x + i);
            first = TW.Fma(value, TW.Load(du + i), first);
            second = TW.Fma(value, TW.Load(gy + i), second);
        }
    }

    /// <summary>The tiles of a task in this thread's scratch memory.</summary>
    private struct Tiles
    {
        public SsdChunkTiles<T, TV> Chunk;
        public readonly T* X;              // [steps, HeadStride]: Δ_j x_j
        public readonly T* XTransposed;    // [P, StepStride]
        public readonly T* OutputGradient; // [steps, HeadStride]
        public readonly T* InputGradient;  // [steps, HeadStride]: du
        public readonly T* Weights;        // [steps, StepStride]
        public readonly T* ScoreGradients; // [steps, StepStride]: dG of all heads so far
        public readonly T* BGradient;      // [steps, StateStride], of all heads so far, as the next
        public readonly T* CGradient;
        public readonly T* Wide;           // [steps, StateStride]
        public readonly T* StateGradientTransposed; // [P, StateStride]
        public readonly T* StateGradients; // [heads, N, HeadStride]
        public readonly T* Below;          // [StepStride], as the next three
        public readonly T* Across;
        public readonly T* FromStep;
        public readonly T* ToStep;
        public readonly HeadSums* Sums;    // [heads]
        public readonly nint StateGradientSize;
        private readonly T* _states;       // [kept, heads, P, StateStride]
        private readonly nint _stateSize;
        private readonly int _heads;

        public Tiles(in SsdShape shape, in SsdCut cut, int kept, ref T* at)
        {
            Chunk = new SsdChunkTiles<T, TV>(in shape, cut.Chunk, ref at);
            nint rows = TilePacking.Rows(cut.Chunk), narrow = rows * Chunk.HeadStride, wide = rows * Chunk.StateStride, square = rows * Chunk.StepStride;
            _heads = cut.HeadsPerTask;
            _stateSize = (nint)TilePacking.Rows(shape.HeadSize) * Chunk.StateStride;
            StateGradientSize = (nint)TilePacking.Rows(shape.StateSize) * Chunk.HeadStride;
            X = SsdChunkTiles<T, TV>.Take(ref at, narrow);
            XTransposed = SsdChunkTiles<T, TV>.Take(ref at, (nint)shape.HeadSize * Chunk.StepStride);
            OutputGradient = SsdChunkTiles<T, TV>.Take(ref at, narrow);
            InputGradient = SsdChunkTiles<T, TV>.Take(ref at, narrow);
            Weights = SsdChunkTiles<T, TV>.Take(ref at, square);
            ScoreGradients = SsdChunkTiles<T, TV>.Take(ref at, square);
            BGradient = SsdChunkTiles<T, TV>.Take(ref at, wide);
            CGradient = SsdChunkTiles<T, TV>.Take(ref at, wide);
            Wide = SsdChunkTiles<T, TV>.Take(ref at, wide);
            StateGradientTransposed = SsdChunkTiles<T, TV>.Take(ref at, (nint)shape.HeadSize * Chunk.StateStride);
            StateGradients = SsdChunkTiles<T, TV>.Take(ref at, _heads * StateGradientSize);
            Below = SsdChunkTiles<T, TV>.Take(ref at, Chunk.StepStride);
            Across = SsdChunkTiles<T, TV>.Take(ref at, Chunk.StepStride);
            FromStep = SsdChunkTiles<T, TV>.Take(ref at, Chunk.StepStride);
            ToStep = SsdChunkTiles<T, TV>.Take(ref at, Chunk.StepStride);
            Sums = (HeadSums*)SsdChunkTiles<T, TV>.Take(ref at, _heads * sizeof(HeadSums) / sizeof(T));
            _states = SsdChunkTiles<T, TV>.Take(ref at, kept * _heads * _stateSize);
        }

        public readonly T* State(int slot, int head) => _states + ((((nint)slot * _heads) + head) * _stateSize);

        /// <summary>Zero in the sums over heads.</summary>
        public readonly void ClearShared(int count)
        {
            int rows = TilePacking.Rows(count);
            new Span<T>(ScoreGradients, rows * Chunk.StepStride).Clear();
            new Span<T>(BGradient, rows * Chunk.StateStride).Clear();
            new Span<T>(CGradient, rows * Chunk.StateStride).Clear();
        }
    }
}
