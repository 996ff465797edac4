using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Forward pass of one head and one run of queries: key blocks outside, query blocks inside, so that keys are packed once and a block of
/// scores never leaves the cache. With one key block this is plain softmax; with more, sums are carried under a running maximum.
/// </summary>
internal unsafe struct AttentionForward<T, TV> : IParallelBody
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TV : unmanaged, ISimd<TV, T>
{
    /// <summary>Queries whose scores are in flight.</summary>
    private const int QueryBlock = 32;

    /// <summary>Keys whose scores are in flight.</summary>
    private const int KeyBlock = 256;

    public required AttentionShape Shape;
    public required AttentionOptions Options;
    public required Rows<T> Query;
    public required Rows<T> Key;
    public required Rows<T> Value;
    public required int* Lengths;
    public required Rows<T> Output;
    public required T* LogSumExp;

    /// <summary>Queries of one task; a multiple of <see cref="QueryBlock"/>.</summary>
    private int _run;
    private int _runs;

    /// <summary>Tasks over heads and runs of queries. The cut depends on the shape only.</summary>
    public void Execute(WorkerPool pool)
    {
        _run = Shape.Batch * Shape.Heads * ((Shape.QueryLength + 255) / 256) >= 32 ? 256 : 128;
        _runs = (Shape.QueryLength + _run - 1) / _run;
        pool.For(Shape.Batch * Shape.Heads * _runs, in this);
    }

    public readonly void Execute(int index)
    {
        (index, int h) = Math.DivRem(index, Shape.Heads); // heads innermost: they share the rows' pages
        (int b, int part) = Math.DivRem(index, _runs);
        int batchHead = (b * Shape.Heads) + h;
        nint column = (nint)h * Shape.HeadSize;
        int first = part * _run, count = Math.Min(_run, Shape.QueryLength - first);
        int keys = Lengths == null ? Shape.KeyLength : Lengths[b];
        int offset = Options.Causal ? Shape.KeyLength - Shape.QueryLength + 1 : Shape.KeyLength; // row i sees keys below i + offset
        int seen = Options.Causal ? Math.Clamp(first + count - 1 + offset, 0, keys) : keys;
        int block = Math.Min(KeyBlock, Math.Max(1, seen));
        Tiles tiles = new(in Shape, block, _run);
        AttentionDropout<T> dropout = new(in Options, tiles.DropoutGroup);
        for (int i = 0; i < count; i++)
        {
            tiles.Largest[i] = T.NegativeInfinity;
            tiles.Sum[i] = T.Zero;
        }

        Rows<T> keyRows = Key.From((nint)b * Shape.KeyLength, column), valueRows = Value.From((nint)b * Shape.KeyLength, column);
        Rows<T> queryRows = Query.From(((nint)b * Shape.QueryLength) + first, column);
        for (int j = 0; j < seen; j += block)
        {
            int blockKeys = Math.Min(block, seen - j);
            TilePacking.CopyTransposed<T, TV>(keyRows.From(j, 0), blockKeys, Shape.HeadSize, tiles.KeyTransposed, tiles.KeyColumns);
            TilePacking.Copy<T, TV>(valueRows.From(j, 0), blockKeys, Shape.HeadSize, T.One, tiles.Value, tiles.HeadColumns);
            int start = Options.Causal && j > 0 ? Math.Clamp(j + 1 - offset - first, 0, count - 1) / QueryBlock * QueryBlock : 0; // earlier ones see none of these keys
            for (int i = start; i < count; i += QueryBlock)
            {
                int rows = Math.Min(QueryBlock, count - i);
                TilePacking.Copy<T, TV>(queryRows.From(i, 0), rows, Shape.HeadSize, T.CreateTruncating(Options.Scale), tiles.Query, tiles.HeadColumns);
                Block(in tiles, ref dropout, batchHead, first + i, i, rows, j, blockKeys, keys, offset);
            }
        }

        Finish(in tiles, batchHead, b, column, first, count, seen);
    }

    /// <summary>One block of queries (tile rows from <paramref name="row"/>) meets one block of keys.</summary>
    private readonly void Block(in Tiles tiles, ref AttentionDropout<T> dropout, int batchHead, int query, int row, int rows, int key, int blockKeys, int keys, int offset)
    {
        int paddedRows = TilePacking.Rows(rows), keyRegisters = TilePacking.Registers<T, TV>(blockKeys);
        TileProduct.Multiply<T, TV, RowMajorTile>(
            paddedRows, keyRegisters, Shape.HeadSize, tiles.Query, tiles.HeadColumns, tiles.KeyTransposed, tiles.KeyColumns, tiles.Scores, tiles.KeyColumns, false);
        T* accumulated = tiles.Accumulated + ((nint)row * tiles.HeadColumns);
        for (int r = 0; r < rows; r++)
        {
            int visible = Options.Causal ? Math.Clamp(Math.Min(query + r + offset, keys) - key, 0, blockKeys) : blockKeys;
            T* scores = tiles.Scores + (r * tiles.KeyColumns);
            T shrink = SoftmaxRow.Forward<T, TV>(scores, visible, blockKeys, ref tiles.Largest[row + r], ref tiles.Sum[row + r]);
            if (key > 0 && shrink != T.One)
            {
                TilePacking.ScaleRow<T, TV>(accumulated + (r * tiles.HeadColumns), shrink, tiles.HeadRegisters);
            }

            if (Options.Dropout > 0.0)
            {
                dropout.Factors(Shape.DropoutRow(batchHead, query + r) + (ulong)key, tiles.Factors, visible);
                SoftmaxRow.Drop<T, TV>(scores, tiles.Factors, visible);
            }
        }

        TileProduct.Multiply<T, TV, RowMajorTile>(
            paddedRows, tiles.HeadRegisters, blockKeys, tiles.Scores, tiles.KeyColumns, tiles.Value, tiles.HeadColumns, accumulated, tiles.HeadColumns, key > 0);
    }

    private readonly void Finish(in Tiles tiles, int batchHead, int b, nint column, int first, int count, int seen)
    {
        Rows<T> outputRows = Output.From(((nint)b * Shape.QueryLength) + first, column);
        T* lse = LogSumExp + ((nint)batchHead * Shape.QueryLength) + first;
        for (int i = 0; i < count; i++)
        {
            T sum = tiles.Sum[i];
            if (seen == 0 || sum == T.Zero)
            {
                outputRows.Clear(i, i + 1, Shape.HeadSize);
                lse[i] = T.NegativeInfinity;
                continue;
            }

            TilePacking.WriteRow<T, TV>(tiles.Accumulated + (i * tiles.HeadColumns), T.One / sum, outputRows[i], Shape.HeadSize);
            lse[i] = tiles.Largest[i] + T.Log(sum);
        }
    }

    /// <summary>The tiles of a task in this thread's scratch memory.</summary>
    private readonly struct Tiles
    {
        public readonly T* KeyTransposed; // [HeadSize, KeyColumns]
        public readonly T* Value;         // [keys, HeadColumns]
        public readonly T* Query;         // [QueryBlock, HeadColumns]
        public readonly T* Scores;        // [QueryBlock, KeyColumns]
        public readonly T* DropoutGroup;  // [Philox.GroupSize]
        public readonly T* Factors;       // [KeyColumns]
        public readonly T* Accumulated;   // [run, HeadColumns]
        public readonly T* Largest;       // [run]
        public readonly T* Sum;           // [run]
        public readonly int KeyColumns;
        public readonly int HeadColumns;
        public readonly int HeadRegisters;

        public Tiles(in AttentionShape shape, int keys, int run)
        {
            KeyColumns = TilePacking.Stride<T, TV>(keys);
            HeadColumns = TilePacking.Stride<T, TV>(shape.HeadSize);
            HeadRegisters = TilePacking.Registers<T, TV>(shape.HeadSize);
            nint transposed = (nint)shape.HeadSize * KeyColumns, value = (nint)TilePacking.Rows(keys) * HeadColumns;
            nint query = QueryBlock * HeadColumns, scores = QueryBlock * KeyColumns, accumulated = (nint)run * HeadColumns;
            T* at = ThreadScratch<AttentionScratchUse>.Get<T>(AttentionScratchUse.Tile, transposed + value + query + scores + KeyColumns + Philox.GroupSize + accumulated + (2 * run));
            KeyTransposed = at;
            Value = KeyTransposed + transposed;
            Query = Value + value;
            Scores = Query + query;
            DropoutGroup = Scores + scores;
            Factors = DropoutGroup + Philox.GroupSize;
            Accumulated = Factors + KeyColumns;
            Largest = Accumulated + accumulated;
            Sum = Largest + run;
        }
    }
}
