using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Backward pass of one head and one run of queries. Key blocks outside, query blocks inside: scores are computed again, and one block
/// gives its parts of the three gradients. Runs of one head give partial key and value gradients, which are added in order afterwards.
/// </summary>
internal unsafe struct AttentionBackward<T, TV> : IParallelBody
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TV : unmanaged, ISimd<TV, T>
{
    private const int QueryBlock = 64;
    private const int KeyBlock = 128;

    public required AttentionShape Shape;
    public required AttentionOptions Options;
    public required Rows<T> Query;
    public required Rows<T> Key;
    public required Rows<T> Value;
    public required int* Lengths;
    public required Rows<T> Output;
    public required T* LogSumExp;
    public required Rows<T> OutputGradient;
    public required Rows<T> QueryGradient;
    public required Rows<T> KeyGradient;
    public required Rows<T> ValueGradient;

    private T* _partials;
    private int _run;
    private int _runs;

    /// <summary>Tasks over heads, and over runs of queries where heads alone are few. The cut depends on the shape only.</summary>
    public void Execute(WorkerPool pool)
    {
        int heads = Shape.Batch * Shape.Heads;
        int wanted = heads >= 8 ? 1 : (16 + heads - 1) / Math.Max(1, heads);
        _run = Math.Max(2 * QueryBlock, (((Shape.QueryLength + wanted - 1) / wanted) + QueryBlock - 1) / QueryBlock * QueryBlock);
        _runs = Math.Max(1, (Shape.QueryLength + _run - 1) / _run);
        _run = Math.Min(_run, (Shape.QueryLength + QueryBlock - 1) / QueryBlock * QueryBlock);
        nint partial = (nint)Shape.KeyLength * Shape.HeadSize * 2;
        _partials = _runs == 1 ? null : ThreadScratch<AttentionScratchUse>.Get<T>(AttentionScratchUse.Partials, (long)heads * _runs * partial);
        pool.For(heads * _runs, in this);
        if (_runs > 1)
        {
            pool.For(heads * Shape.KeyLength, new AttentionPartialSums<T>
            {
                Shape = Shape,
                Partials = _partials,
                Runs = _runs,
                KeyGradient = KeyGradient,
                ValueGradient = ValueGradient,
            });
        }
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
        Rows<T> keyRows = Key.From((nint)b * Shape.KeyLength, column), valueRows = Value.From((nint)b * Shape.KeyLength, column);
        (Rows<T> keyTarget, Rows<T> valueTarget) = Targets(batchHead, b, column, part);
        for (int j = 0; j < seen; j += block)
        {
            int blockKeys = Math.Min(block, seen - j);
            TilePacking.CopyTransposed<T, TV>(keyRows.From(j, 0), blockKeys, Shape.HeadSize, tiles.KeyTransposed, tiles.KeyColumns);
            TilePacking.CopyTransposed<T, TV>(valueRows.From(j, 0), blockKeys, Shape.HeadSize, tiles.ValueTransposed, tiles.KeyColumns);
            TilePacking.Copy<T, TV>(keyRows.From(j, 0), blockKeys, Shape.HeadSize, T.One, tiles.Key, tiles.HeadColumns);
            int start = Options.Causal && j > 0 ? Math.Clamp(j + 1 - offset - first, 0, count - 1) / QueryBlock * QueryBlock : 0; // earlier ones see none of these keys
            for (int i = start; i < count; i += QueryBlock)
            {
                int rows = Math.Min(QueryBlock, count - i);
                Load(in tiles, b, column, first + i, rows);
                Scores(in tiles, ref dropout, batchHead, first + i, rows, j, blockKeys, keys, offset);
                Accumulate(in tiles, i, rows, i == start, j, blockKeys);
            }

            for (int r = 0; r < blockKeys && count > 0; r++)
            {
                TilePacking.WriteRow<T, TV>(tiles.KeySum + (r * tiles.HeadColumns), T.One, keyTarget[j + r], Shape.HeadSize);
                TilePacking.WriteRow<T, TV>(tiles.ValueSum + (r * tiles.HeadColumns), T.One, valueTarget[j + r], Shape.HeadSize);
            }
        }

        int written = count > 0 ? seen : 0;
        keyTarget.Clear(written, Shape.KeyLength, Shape.HeadSize);
        valueTarget.Clear(written, Shape.KeyLength, Shape.HeadSize);
        Rows<T> queryGradient = QueryGradient.From(((nint)b * Shape.QueryLength) + first, column);
        for (int i = 0; i < count; i++)
        {
            if (seen == 0)
            {
                queryGradient.Clear(i, i + 1, Shape.HeadSize);
                continue;
            }

            TilePacking.WriteRow<T, TV>(tiles.QuerySum + (i * tiles.HeadColumns), T.CreateTruncating(Options.Scale), queryGradient[i], Shape.HeadSize);
        }
    }

    /// <summary>Packs a block of queries (scaled) and of output gradients; delta_i = g_i · o_i.</summary>
    private readonly void Load(in Tiles tiles, int b, nint column, int query, int rows)
    {
        nint position = ((nint)b * Shape.QueryLength) + query;
        Rows<T> gradients = OutputGradient.From(position, column), outputs = Output.From(position, column);
        TilePacking.Copy<T, TV>(Query.From(position, column), rows, Shape.HeadSize, T.CreateTruncating(Options.Scale), tiles.Query, tiles.HeadColumns);
        TilePacking.Copy<T, TV>(gradients, rows, Shape.HeadSize, T.One, tiles.OutputGradient, tiles.HeadColumns);
        for (int r = 0; r < rows; r++)
        {
            tiles.Delta[r] = SoftmaxRow.Dot<T, TV>(gradients[r], outputs[r], Shape.HeadSize);
        }
    }

    /// <summary>Probabilities (after dropout) and the gradients of the scores of one block.</summary>
    private readonly void Scores(in Tiles tiles, ref AttentionDropout<T> dropout, int batchHead, int query, int rows, int key, int blockKeys, int keys, int offset)
    {
        int paddedRows = TilePacking.Rows(rows), registers = TilePacking.Registers<T, TV>(blockKeys);
        TileProduct.Multiply<T, TV, RowMajorTile>(
            paddedRows, registers, Shape.HeadSize, tiles.Query, tiles.HeadColumns, tiles.KeyTransposed, tiles.KeyColumns, tiles.Scores, tiles.KeyColumns, false);
        TileProduct.Multiply<T, TV, RowMajorTile>(
            paddedRows, registers, Shape.HeadSize, tiles.OutputGradient, tiles.HeadColumns, tiles.ValueTransposed, tiles.KeyColumns, tiles.ScoreGradient, tiles.KeyColumns, false);
        T* lse = LogSumExp + ((nint)batchHead * Shape.QueryLength) + query;
        for (int r = 0; r < rows; r++)
        {
            int visible = Options.Causal ? Math.Clamp(Math.Min(query + r + offset, keys) - key, 0, blockKeys) : blockKeys;
            T* scores = tiles.Scores + (r * tiles.KeyColumns), gradients = tiles.ScoreGradient + (r * tiles.KeyColumns);
            if (Options.Dropout > 0.0)
            {
                dropout.Factors(Shape.DropoutRow(batchHead, query + r) + (ulong)key, tiles.Factors, visible);
                SoftmaxRow.BackwardDropped<T, TV>(scores, gradients, tiles.Factors, visible, blockKeys, lse[r], tiles.Delta[r]);
            }
            else
            {
                SoftmaxRow.Backward<T, TV>(scores, gradients, visible, blockKeys, lse[r], tiles.Delta[r]);
            }
        }
    }

    private static void Accumulate(in Tiles tiles, int row, int rows, bool firstRows, int key, int blockKeys)
    {
        int keyRows = TilePacking.Rows(blockKeys);
        TileProduct.Multiply<T, TV, TransposedTile>(
            keyRows, tiles.HeadRegisters, rows, tiles.Scores, tiles.KeyColumns, tiles.OutputGradient, tiles.HeadColumns, tiles.ValueSum, tiles.HeadColumns, !firstRows);
        TileProduct.Multiply<T, TV, TransposedTile>(
            keyRows, tiles.HeadRegisters, rows, tiles.ScoreGradient, tiles.KeyColumns, tiles.Query, tiles.HeadColumns, tiles.KeySum, tiles.HeadColumns, !firstRows);
        TileProduct.Multiply<T, TV, RowMajorTile>(
            TilePacking.Rows(rows), tiles.HeadRegisters, blockKeys, tiles.ScoreGradient, tiles.KeyColumns, tiles.Key, tiles.HeadColumns,
            tiles.QuerySum + ((nint)row * tiles.HeadColumns), tiles.HeadColumns, key > 0);
    }

    /// <summary>Where this task's key and value gradients go: the caller's buffers, or this run's part of the partial sums.</summary>
    private readonly (Rows<T> Key, Rows<T> Value) Targets(int batchHead, int b, nint column, int part)
    {
        if (_runs == 1)
        {
            nint position = (nint)b * Shape.KeyLength;
            return (KeyGradient.From(position, column), ValueGradient.From(position, column));
        }

        nint size = (nint)Shape.KeyLength * Shape.HeadSize;
        T* partial = _partials + ((((nint)batchHead * _runs) + part) * 2 * size);
        return (new Rows<T>(partial, Shape.HeadSize), new Rows<T>(partial + size, Shape.HeadSize));
    }

    /// <summary>The tiles of a task in this thread's scratch memory.</summary>
    private readonly struct Tiles
    {
        public readonly T* KeyTransposed;   // [HeadSize, KeyColumns]
        public readonly T* ValueTransposed; // [HeadSize, KeyColumns]
        public readonly T* Key;             // [keys, HeadColumns]
        public readonly T* KeySum;          // [keys, HeadColumns]
        public readonly T* ValueSum;        // [keys, HeadColumns]
        public readonly T* Query;           // [QueryBlock, HeadColumns]
        public readonly T* OutputGradient;  // [QueryBlock, HeadColumns]
        public readonly T* Scores;          // [QueryBlock, KeyColumns]
        public readonly T* ScoreGradient;   // [QueryBlock, KeyColumns]
        public readonly T* DropoutGroup;    // [Philox.GroupSize]
        public readonly T* Factors;         // [KeyColumns]
        public readonly T* Delta;           // [QueryBlock]
        public readonly T* QuerySum;        // [run, HeadColumns]
        public readonly int KeyColumns;
        public readonly int HeadColumns;
        public readonly int HeadRegisters;

        public Tiles(in AttentionShape shape, int keys, int run)
        {
            KeyColumns = TilePacking.Stride<T, TV>(keys);
            HeadColumns = TilePacking.Stride<T, TV>(shape.HeadSize);
            HeadRegisters = TilePacking.Registers<T, TV>(shape.HeadSize);
            nint transposed = (nint)shape.HeadSize * KeyColumns, keyTile = (nint)TilePacking.Rows(keys) * HeadColumns;
            nint queryTile = QueryBlock * HeadColumns, scores = QueryBlock * KeyColumns;
            T* at = ThreadScratch<AttentionScratchUse>.Get<T>(
                AttentionScratchUse.Tile,
                (2 * transposed) + (3 * keyTile) + (2 * queryTile) + (2 * scores) + KeyColumns + Philox.GroupSize + QueryBlock + ((nint)run * HeadColumns));
            KeyTransposed = at;
            ValueTransposed = KeyTransposed + transposed;
            Key = ValueTransposed + transposed;
            KeySum = Key + keyTile;
            ValueSum = KeySum + keyTile;
            Query = ValueSum + keyTile;
            OutputGradient = Query + queryTile;
            Scores = OutputGradient + queryTile;
            ScoreGradient = Scores + scores;
            DropoutGroup = ScoreGradient + scores;
            Factors = DropoutGroup + Philox.GroupSize;
            Delta = Factors + KeyColumns;
            QuerySum = Delta + QueryBlock;
        }
    }
}
