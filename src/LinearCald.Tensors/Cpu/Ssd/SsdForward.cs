using System.Numerics;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Forward pass of a run of heads of one row. With s_i = Σ_{j ≤ i} Δ_j A within a chunk and H the state on entry, as [N, P]:
/// y_i = exp(s_i) C_i H + Σ_{j ≤ i} (C_i · B_j) exp(s_i − s_j) Δ_j x_j + D x_i, and H ← exp(s_last) H + Σ_j exp(s_last − s_j) B_jᵀ Δ_j x_j.
/// </summary>
/// <remarks>Floor: Q (P + N / heads) + 4 N P operations a position and head, Q the chunk, at the rate of <see cref="TileProduct"/>; the recurrence itself would take 5 N P at that of memory.</remarks>
internal unsafe struct SsdForward<T, TV> : IParallelBody
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TV : unmanaged, ISimd<TV, T>
{
    public required SsdShape Shape;
    public required SsdData<T> Data;
    public required Rows<T> Output;
    public required SsdCut Cut;

    public readonly void Execute(int index)
    {
        SsdTask task = Cut.Task(in Shape, index);
        SsdWay way = Data.Way(in Shape, task.Batch);
        using Scratch<SsdChunk> chunks = new(Math.Max(1, way.Steps));
        int count = way.Cut(Data.Sequences, Cut.Chunk, Data.InitialState != null, chunks.Pointer);
        T* size = null;
        _ = new Tiles(in Shape, in Cut, ref size);
        using Scratch<T> scratch = new((long)size / sizeof(T));
        T* at = scratch.Pointer;
        Tiles tiles = new(in Shape, in Cut, ref at);
        tiles.Chunk.Number();
        LoadStates(in tiles, in task);
        for (int k = 0; k < count; k++)
        {
            bool leaves = k + 1 < count ? !chunks.Pointer[k + 1].IsFresh : Data.FinalState != null;
            Run(ref tiles, in task, way, chunks.Pointer[k], leaves);
        }

        way.ClearPadding(Output, (nint)task.FirstHead * Shape.HeadSize, task.Heads * Shape.HeadSize);
        StoreStates(in tiles, in task, way);
    }

    private readonly void Run(ref Tiles tiles, in SsdTask task, SsdWay way, SsdChunk chunk, bool leaves)
    {
        nint group = (nint)task.Group * Shape.StateSize;
        tiles.Chunk.Load(way.Of(Data.B, group).From(chunk.First, 0), way.Of(Data.C, group).From(chunk.First, 0), chunk.Count);
        tiles.Chunk.ComputeScores(chunk.Count);
        for (int h = 0; h < task.Heads; h++)
        {
            int head = task.FirstHead + h;
            nint column = (nint)head * Shape.HeadSize;
            Rows<T> x = way.Of(Data.X, column).From(chunk.First, 0), y = way.Of(Output, column).From(chunk.First, 0);
            tiles.Chunk.ComputeDecays(in Shape, way.Of(Data.Delta, head).From(chunk.First, 0), Data.DeltaBias == null ? T.Zero : Data.DeltaBias[head], Data.A[head], chunk.Count);
            T* state = tiles.States + (h * tiles.StateSize);
            Outputs(in tiles, chunk, x, state);
            T d = Data.D == null ? T.Zero : Data.D[head];
            for (int i = 0; i < chunk.Count; i++)
            {
                SsdRows.Combine<T, TV>(tiles.Y + ((nint)i * tiles.Chunk.HeadStride), T.One, x[i], d, y[i], Shape.HeadSize);
            }

            if (leaves)
            {
                Advance(in tiles, chunk, state);
            }
        }
    }

    /// <summary>The rows of y without D; leaves Δ_j x_j in the tile of x.</summary>
    private static void Outputs(in Tiles tiles, SsdChunk chunk, Rows<T> x, T* state)
    {
        SsdChunkTiles<T, TV> c = tiles.Chunk;
        int count = chunk.Count;
        SsdRows.CopyScaled<T, TV>(x, count, c.HeadSize, c.Delta, tiles.X, c.HeadStride);
        for (int i = 0; i < count; i++)
        {
            T* scores = c.Scores + ((nint)i * c.StepStride), weights = tiles.Weights + ((nint)i * c.StepStride);
            int end = SsdChunkTiles<T, TV>.RowRegisters(i, count) * TV.Width;
            for (int j = 0; j < end; j += TV.Width)
            {
                (c.Decay(i, j) * TV.Load(scores + j)).Store(weights + j);
            }
        }

        if (!chunk.IsFresh)
        {
            TileProduct.Multiply<T, TV, RowMajorTile>(TilePacking.Rows(count), c.HeadRegisters, c.StateSize, c.C, c.StateStride, state, c.HeadStride, tiles.Y, c.HeadStride, false);
            SsdRows.Scale<T, TV>(tiles.Y, count, c.HeadStride, c.HeadRegisters, c.Entry);
        }

        c.LowerTimes(count, tiles.Weights, tiles.X, c.HeadStride, c.HeadRegisters, tiles.Y, !chunk.IsFresh);
    }

    /// <summary>The state behind the chunk, from the tile that <see cref="Outputs"/> left.</summary>
    private static void Advance(in Tiles tiles, SsdChunk chunk, T* state)
    {
        SsdChunkTiles<T, TV> c = tiles.Chunk;
        SsdRows.Scale<T, TV>(tiles.X, chunk.Count, c.HeadStride, c.HeadRegisters, c.Exit);
        if (!chunk.IsFresh)
        {
            SsdRows.ScaleInto<T, TV>(state, c.Total, state, c.StateSize, c.HeadStride, c.HeadRegisters);
        }

        TileProduct.Multiply<T, TV, TransposedTile>(
            TilePacking.Rows(c.StateSize), c.HeadRegisters, chunk.Count, c.B, c.StateStride, tiles.X, c.HeadStride, state, c.HeadStride, !chunk.IsFresh);
    }

    private readonly void LoadStates(in Tiles tiles, in SsdTask task)
    {
        for (int h = 0; Data.InitialState != null && h < task.Heads; h++)
        {
            Rows<T> state = new(Data.InitialState + ((((long)task.Batch * Shape.Heads) + task.FirstHead + h) * Shape.StateCount), Shape.StateSize);
            TilePacking.CopyTransposed<T, TV>(state, Shape.HeadSize, Shape.StateSize, tiles.States + (h * tiles.StateSize), tiles.Chunk.HeadStride);
        }
    }

    private readonly void StoreStates(in Tiles tiles, in SsdTask task, SsdWay way)
    {
        for (int h = 0; Data.FinalState != null && h < task.Heads; h++)
        {
            T* state = Data.FinalState + ((((long)task.Batch * Shape.Heads) + task.FirstHead + h) * Shape.StateCount);
            if (way.Steps == 0 && Data.InitialState == null)
            {
                new Span<T>(state, checked((int)Shape.StateCount)).Clear();
            }
            else
            {
                SsdRows.WriteTransposed(tiles.States + (h * tiles.StateSize), Shape.StateSize, Shape.HeadSize, tiles.Chunk.HeadStride, state);
            }
        }
    }

    /// <summary>The tiles of a task in this thread's scratch memory.</summary>
    private struct Tiles
    {
        public SsdChunkTiles<T, TV> Chunk;
        public readonly T* X;       // [steps, HeadStride]
        public readonly T* Weights; // [steps, StepStride]
        public readonly T* Y;       // [steps, HeadStride]
        public readonly T* States;  // [heads, N, HeadStride]
        public readonly nint StateSize;

        public Tiles(in SsdShape shape, in SsdCut cut, ref T* at)
        {
            Chunk = new SsdChunkTiles<T, TV>(in shape, cut.Chunk, ref at);
            nint rows = TilePacking.Rows(cut.Chunk);
            StateSize = (nint)TilePacking.Rows(shape.StateSize) * Chunk.HeadStride;
            X = SsdChunkTiles<T, TV>.Take(ref at, rows * Chunk.HeadStride);
            Weights = SsdChunkTiles<T, TV>.Take(ref at, rows * Chunk.StepStride);
            Y = SsdChunkTiles<T, TV>.Take(ref at, rows * Chunk.HeadStride);
            States = SsdChunkTiles<T, TV>.Take(ref at, cut.HeadsPerTask * StateSize);
        }
    }
}
