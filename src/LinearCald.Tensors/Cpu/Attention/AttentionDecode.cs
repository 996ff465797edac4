using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Forward pass with a single query a sample, as in generation with a cache of keys and values. Both are read where they lie, whole rows of all heads in order
/// and once each, which is the floor; tiles would copy them for a product with one row. A task is a block of keys of one sample; blocks have their own maxima and
/// sums, and are brought together at the end.
/// </summary>
/// <remarks>
/// Processor time of one thread with tiles, with this, and of reading keys and values once: 1,000 keys of 4 heads of 32: 45, 35 and 11 µs; of 12 heads of 64: 355, 121 and
/// 67 µs, for four samples 3.9, 1.8 and 1.5 ms; 8,000 keys of 8 heads of 64: 5.8, 2.7 and 1.9 ms. With a head a task, which reads rows in pieces, the last was 5.6 ms.
/// </remarks>
internal unsafe struct AttentionDecode<T, TV> : IParallelBody
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TV : unmanaged, ISimd<TV, T>
{
    /// <summary>Keys of a task.</summary>
    private const int KeyBlock = 256;

    public required AttentionShape Shape;
    public required AttentionOptions Options;
    public required Rows<T> Query;
    public required Rows<T> Key;
    public required Rows<T> Value;
    public required int* Lengths;
    public required Rows<T> Output;
    public required T* LogSumExp;

    /// <summary>Blocks of a sample with all keys.</summary>
    private int _blocks;

    /// <summary>Of each block of each sample: Σ e^(score − largest) · value [Width], then the largest score and Σ e^(score − largest) of each head.</summary>
    private Rows<T> _partials;

    /// <summary>Whether a call has one query a sample and nothing that only the tiled kernel does.</summary>
    public static bool Fits(in AttentionShape shape, in AttentionOptions options) => shape.QueryLength == 1 && options.Dropout == 0.0;

    public void Execute(WorkerPool pool)
    {
        int size = Shape.Width + (2 * Shape.Heads);
        _blocks = (Shape.KeyLength + KeyBlock - 1) / KeyBlock;
        _partials = new Rows<T>(ThreadScratch<AttentionScratchUse>.Get<T>(AttentionScratchUse.Partials, (long)Shape.Batch * _blocks * size), size);
        pool.For(Shape.Batch * _blocks, in this);
        for (int b = 0; b < Shape.Batch; b++)
        {
            Finish(b);
        }
    }

    public readonly void Execute(int index)
    {
        (int b, int block) = Math.DivRem(index, _blocks);
        int first = block * KeyBlock, count = Math.Min(KeyBlock, KeysOf(b) - first);
        if (count <= 0)
        {
            return;
        }

        T* sums = _partials[index], largest = sums + Shape.Width, totals = largest + Shape.Heads;
        T* query = ThreadScratch<AttentionScratchUse>.Get<T>(AttentionScratchUse.Tile, Shape.Width + ((long)Shape.Heads * KeyBlock));
        T* weights = query + Shape.Width; // [heads, KeyBlock]
        TilePacking.WriteRow<T, TV>(Query[b], T.CreateTruncating(Options.Scale), query, Shape.Width);
        Rows<T> keys = Key.From(((nint)b * Shape.KeyLength) + first, 0);
        for (int j = 0; j < count; j++)
        {
            T* key = keys[j];
            for (int h = 0; h < Shape.Heads; h++)
            {
                int column = h * Shape.HeadSize;
                weights[(h * KeyBlock) + j] = SoftmaxRow.Dot<T, TV>(query + column, key + column, Shape.HeadSize);
            }
        }

        for (int h = 0; h < Shape.Heads; h++)
        {
            (largest[h], totals[h]) = (T.NegativeInfinity, T.Zero);
            SoftmaxRow.Forward<T, TV>(weights + (h * KeyBlock), count, KeyBlock, ref largest[h], ref totals[h]);
        }

        Rows<T> values = Value.From(((nint)b * Shape.KeyLength) + first, 0);
        new Span<T>(sums, Shape.Width).Clear();
        int from = 0;
        for (; from + 4 <= count; from += 4)
        {
            AddFour(weights + from, values.From(from, 0), sums);
        }

        for (; from < count; from++)
        {
            AddOne(weights + from, values[from], sums);
        }
    }

    private readonly int KeysOf(int b) => Lengths == null ? Shape.KeyLength : Lengths[b]; // causal or not, the only query sees them all

    /// <summary>sums += Σ over four rows of weight · value; a head's weights lie <see cref="KeyBlock"/> behind those of the head before.</summary>
    private readonly void AddFour(T* weights, Rows<T> values, T* sums)
    {
        T* v0 = values[0], v1 = values[1], v2 = values[2], v3 = values[3];
        int d = 0;
        for (int h = 0; h < Shape.Heads; h++, weights += KeyBlock)
        {
            int end = (h + 1) * Shape.HeadSize;
            TV w0 = TV.Broadcast(weights[0]), w1 = TV.Broadcast(weights[1]), w2 = TV.Broadcast(weights[2]), w3 = TV.Broadcast(weights[3]);
            for (; d + TV.Width <= end; d += TV.Width)
            {
                TV left = TV.Fma(w1, TV.Load(v1 + d), TV.Fma(w0, TV.Load(v0 + d), TV.Load(sums + d)));
                TV right = TV.Fma(w3, TV.Load(v3 + d), w2 * TV.Load(v2 + d));
                (left + right).Store(sums + d);
            }

            for (; d < end; d++)
            {
                sums[d] += (weights[0] * v0[d]) + (weights[1] * v1[d]) + (weights[2] * v2[d]) + (weights[3] * v3[d]);
            }
        }
    }

    private readonly void AddOne(T* weights, T* value, T* sums)
    {
        int d = 0;
        for (int h = 0; h < Shape.Heads; h++, weights += KeyBlock)
        {
            for (int end = (h + 1) * Shape.HeadSize; d < end; d++)
            {
                sums[d] += weights[0] * value[d];
            }
        }
    }

    /// <summary>Brings the blocks of a sample under one maximum a head.</summary>
    private readonly void Finish(int b)
    {
        int blocks = (KeysOf(b) + KeyBlock - 1) / KeyBlock;
        Rows<T> partials = _partials.From((nint)b * _blocks, 0);
        for (int h = 0; h < Shape.Heads; h++)
        {
            T largest = T.NegativeInfinity, sum = T.Zero;
            for (int i = 0; i < blocks; i++)
            {
                largest = T.Max(largest, partials[i][Shape.Width + h]);
            }

            T* output = Output[b] + (h * Shape.HeadSize);
            new Span<T>(output, Shape.HeadSize).Clear();
            for (int i = 0; i < blocks; i++)
            {
                T* part = partials[i];
                T shrink = T.Exp(part[Shape.Width + h] - largest);
                sum += shrink * part[Shape.Width + Shape.Heads + h];
                for (int d = 0; d < Shape.HeadSize; d++)
                {
                    output[d] += shrink * part[(h * Shape.HeadSize) + d];
                }
            }

            for (int d = 0; d < Shape.HeadSize && blocks > 0; d++)
            {
                output[d] /= sum;
            }

            LogSumExp[(b * Shape.Heads) + h] = blocks == 0 ? T.NegativeInfinity : largest + T.Log(sum);
        }
    }
}
