using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Projected keys and values: K̃ = E[0:n]ᵀ K[0:n] / √n and Ṽ = F[0:n]ᵀ V[0:n] / √n. A task owns a block of slots × columns of a sample; long
/// samples of small batches are also cut into chunks of positions, whose parts are added in order afterwards.
/// </summary>
/// <remarks>
/// Chunks keep the cost a position flat: without them, every block of columns reads all of E again and touches every row's page, and
/// from some 4,000 positions on neither stays in the cache (rank 32, width 128: 38–65 instead of 110 GFLOP/s at 8,192 positions).
/// </remarks>
internal unsafe struct LinformerProjection<T> : IParallelBody
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Least positions in a chunk.</summary>
    private const int LeastChunk = 512;

    private const int MostChunks = 8;

    public required LinformerShape Shape;
    public required int* Lengths;
    public required Rows<T> Key;
    public required Rows<T> Value;
    public required T* E;
    public required T* F;
    public required T* ProjectedKey;
    public required T* ProjectedValue;

    private T* _partials; // [Batch, 2, chunks, Rank, Width]
    private int _chunk;
    private int _chunks;
    private int _slots;
    private int _columns;
    private int _slotBlocks;
    private int _columnBlocks;

    /// <summary>Large blocks where samples or chunks are many, smaller ones where one short sample must feed all threads. The cut depends on the shape only.</summary>
    public void Execute(WorkerPool pool)
    {
        bool many = Shape.Batch >= 8;
        _chunk = many ? Math.Max(1, Shape.Length) : Math.Max(LeastChunk, (Shape.Length + MostChunks - 1) / MostChunks);
        _chunks = Math.Max(1, (Shape.Length + _chunk - 1) / _chunk);
        _slots = many || _chunks > 1 ? 256 : 64;
        _columns = many ? 256 : _chunks > 1 ? 128 : 64;
        _slotBlocks = (Shape.Rank + _slots - 1) / _slots;
        _columnBlocks = (Shape.Width + _columns - 1) / _columns;
        _partials = _chunks == 1 ? null : ThreadScratch<AttentionScratchUse>.Get<T>(AttentionScratchUse.Partials, (long)Shape.Batch * 2 * _chunks * Shape.Rank * Shape.Width);
        pool.For(Shape.Batch * 2 * _chunks * _slotBlocks * _columnBlocks, in this);
        if (_chunks > 1)
        {
            pool.For(Shape.Batch * 2 * Shape.Rank, new ChunkSums { Projection = this });
        }
    }

    public readonly void Execute(int index)
    {
        (index, int columnBlock) = Math.DivRem(index, _columnBlocks);
        (index, int slotBlock) = Math.DivRem(index, _slotBlocks);
        (index, int chunk) = Math.DivRem(index, _chunks);
        (int b, int side) = Math.DivRem(index, 2);
        int column = columnBlock * _columns, columns = Math.Min(_columns, Shape.Width - column);
        int slot = slotBlock * _slots, slots = Math.Min(_slots, Shape.Rank - slot);
        int n = Shape.LengthOf(Lengths, b), first = chunk * _chunk, rows = Math.Min(_chunk, n - first);
        T* target = Target(b, side, chunk) + ((nint)slot * Shape.Width) + column;
        if (rows <= 0)
        {
            if (chunk == 0)
            {
                new Rows<T>(target, Shape.Width).Clear(0, slots, columns);
            }

            return;
        }

        Rows<T> source = (side == 0 ? Key : Value).From(((nint)b * Shape.Length) + first, column);
        T* projection = (side == 0 ? E : F) + ((nint)first * Shape.Rank) + slot;
        T factor = T.CreateTruncating(1.0 / Math.Sqrt(n));
        Gemm.RunSerial(true, false, slots, columns, rows, factor, projection, Shape.Rank, source.Start, checked((int)source.Stride), T.Zero, target, Shape.Width);
    }

    private readonly T* Target(int b, int side, int chunk) => _partials == null
        ? Final(b, side)
        : _partials + ((((((nint)b * 2) + side) * _chunks) + chunk) * Shape.Rank * Shape.Width);

    private readonly T* Final(int b, int side) => (side == 0 ? ProjectedKey : ProjectedValue) + ((nint)b * Shape.Rank * Shape.Width);

    /// <summary>Adds the chunks' parts of one slot in the order of the chunks.</summary>
    private struct ChunkSums : IParallelBody
    {
        public required LinformerProjection<T> Projection;

        public readonly void Execute(int index)
        {
            (index, int slot) = Math.DivRem(index, Projection.Shape.Rank);
            (int b, int side) = Math.DivRem(index, 2);
            int width = Projection.Shape.Width, used = Math.Max(1, (Projection.Shape.LengthOf(Projection.Lengths, b) + Projection._chunk - 1) / Projection._chunk);
            T* first = Projection.Target(b, side, 0) + ((nint)slot * width);
            TilePacking.SumRows(new Rows<T>(first, (nint)Projection.Shape.Rank * width), used, Projection.Final(b, side) + ((nint)slot * width), width);
        }
    }
}
