using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Rows of a table by id, and the gradient of the table. Forward: one read and one write an element of the output. Gradient: gy read once and the rows that
/// occur written once, after the ids have been put in order (<see cref="IdOrder"/>); no atomics, so the same bits from run to run.
/// </summary>
internal static class EmbeddingKernels
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>Vectors that a thread of the forward has in flight.</summary>
    public const int InFlight = 4;

    /// <summary>Occurrences of an id from which on a whole group works on it instead of one warp.</summary>
    public const int Long = 32;

    private const int Warps = Threads / Warp.Size;
    private const int Ahead = 4;

    /// <summary>
    /// y[i] = table[ids[i]], word by word: rows of <paramref name="width"/> words. An id outside of the table gives a row of ones bits, which is NaN in
    /// every floating-point type: the host does not wait for the ids to check them.
    /// </summary>
    /// <param name="count">Words of y, at least 1.</param>
    /// <param name="rows">Of the table, at least 1.</param>
    [Kernel(Name = "embedding")]
    public static void Gather<TWord, TNothing>(
        ReadOnlyView<TWord> table, ReadOnlyView<int> ids, View<TWord> y, int count, int rows, FastDivisor width)
        where TWord : unmanaged
        where TNothing : struct, INothing<TWord>
    {
        // No branches before the loads, so that all of them are on their way together: what lies outside reads something else instead.
        int first = (Grid.IndexX * (Threads * InFlight)) + Group.IndexX;
        Registers<int, N4> found = default, column = default;
        for (int k = 0; k < InFlight; k++)
        {
            int i = first + (k * Threads);
            i = i < count ? i : count - 1;
            int row = width.Divide(i);
            found[k] = ids[row];
            column[k] = i - (row * width.Divisor);
        }

        Registers<TWord, N4> loaded = default;
        for (int k = 0; k < InFlight; k++)
        {
            int id = (uint)found[k] < (uint)rows ? found[k] : 0;
            loaded[k] = table[((long)id * width.Divisor) + column[k]];
        }

        for (int k = 0; k < InFlight; k++)
        {
            int i = first + (k * Threads);
            if (i < count)
            {
                y[i] = (uint)found[k] < (uint)rows ? loaded[k] : TNothing.Value;
            }
        }
    }

    /// <summary>
    /// gtable[id] (+)= Σ gy[i] over the occurrences i of id, ascending, for ids that occur at most <see cref="Long"/> times. A warp has one place in the sorted list and
    /// 32 vectors (or elements) of the row; it works if its place is the first of an id.
    /// </summary>
    /// <param name="ids">Sorted ids; those of <paramref name="rows"/> and above are left out.</param>
    /// <param name="positions">Where in the original order each sorted id was.</param>
    /// <param name="width">Elements of a row.</param>
    /// <param name="tiles">Parts that a row is cut into.</param>
    [Kernel(Name = "embedding_gradient")]
    public static void Scatter<TWord, TFormat>(
        ReadOnlyView<int> ids, ReadOnlyView<int> positions, int count, ReadOnlyView<TWord> gy, View<float> gtable, int rows, int width, FastDivisor tiles,
        [Constant] bool vectors, [Constant] bool accumulate)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int warp = (Grid.IndexX * Warps) + Warp.Index;
        int at = tiles.Divide(warp);
        if (at >= count)
        {
            return;
        }

        int id = ids[at];
        if (id >= rows || (at > 0 && ids[at - 1] == id))
        {
            return;
        }

        int length = 1;
        while (length <= Long && at + length < count && ids[at + length] == id)
        {
            length++;
        }

        int lanes = vectors ? TFormat.Lanes : 1;
        int column = (((warp - (at * tiles.Divisor)) * Warp.Size) + Warp.Lane) * lanes;
        if (length > Long || column >= width)
        {
            return;
        }

        Registers<float, N8> sum = default;
        sum.Fill(0f);
        AddRows<TWord, TFormat>(ref sum, positions, at, at + length, 1, gy, width, column, vectors);
        Put<TWord, TFormat>(sum, gtable, ((long)id * width) + column, vectors, accumulate);
    }

    /// <summary>
    /// partials[c] = Σ of the <see cref="Long"/> rows of gy at the places <see cref="Long"/> · c … of the sorted list, where all of these have one id;
    /// the other partials stay as they are. A warp has one c and 32 vectors (or elements) of the row.
    /// </summary>
    [Kernel(Name = "embedding_gradient_chunks")]
    public static void SumChunks<TWord, TFormat>(
        ReadOnlyView<int> ids, ReadOnlyView<int> positions, int count, ReadOnlyView<TWord> gy, View<float> partials, int rows, int width, FastDivisor tiles,
        [Constant] bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int warp = (Grid.IndexX * Warps) + Warp.Index;
        int chunk = tiles.Divide(warp);
        int at = chunk * Long;
        if (at + Long > count)
        {
            return;
        }

        int id = ids[at];
        int lanes = vectors ? TFormat.Lanes : 1;
        int column = (((warp - (chunk * tiles.Divisor)) * Warp.Size) + Warp.Lane) * lanes;
        if (id >= rows || ids[at + Long - 1] != id || column >= width)
        {
            return;
        }

        Registers<float, N8> sum = default;
        sum.Fill(0f);
        AddRows<TWord, TFormat>(ref sum, positions, at, at + Long, 1, gy, width, column, vectors);
        Put<TWord, TFormat>(sum, partials, ((long)chunk * width) + column, vectors, accumulate: false);
    }

    /// <summary>
    /// <see cref="Scatter"/> for ids that occur more often. A group has every <see cref="Long"/>th place of the sorted list, one of which lies in every such run, and
    /// works if its place is the first of them. Its warps take the whole chunks of the run, already summed, and the places before and behind them in turn, and
    /// their sums are added in order.
    /// </summary>
    [Kernel(Name = "embedding_gradient_long")]
    public static void ScatterLong<TWord, TFormat>(
        ReadOnlyView<int> ids, ReadOnlyView<int> positions, int count, ReadOnlyView<TWord> gy, ReadOnlyView<float> partials, View<float> gtable, int rows, int width,
        FastDivisor tiles, [Constant] bool vectors, [Constant] bool accumulate)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        Shared<float> sums = Shared.Allocate<float>(Warps * Warp.Size * 8);
        int place = tiles.Divide(Grid.IndexX);
        int at = place * Long;
        int id = ids[at];
        if (id >= rows || (place > 0 && ids[at - Long] == id))
        {
            return;
        }

        int start = Start(ids, at, id);
        if (start + Long >= count || ids[start + Long] != id)
        {
            return;
        }

        int end = End(ids, start + Long, count, id);
        int firstChunk = (start + Long - 1) / Long, endChunk = end / Long;
        int lanes = vectors ? TFormat.Lanes : 1;
        int column = (((Grid.IndexX - (place * tiles.Divisor)) * Warp.Size) + Warp.Lane) * lanes;
        Registers<float, N8> sum = default;
        sum.Fill(0f);
        if (column < width)
        {
            AddRows<TWord, TFormat>(ref sum, positions, start + Warp.Index, firstChunk * Long, Warps, gy, width, column, vectors);
            for (int chunk = firstChunk + Warp.Index; chunk < endChunk; chunk += Warps)
            {
                AddPartial<TWord, TFormat>(ref sum, partials, ((long)chunk * width) + column, vectors);
            }

            AddRows<TWord, TFormat>(ref sum, positions, (endChunk * Long) + Warp.Index, end, Warps, gy, width, column, vectors);
        }

        for (int i = 0; i < lanes; i++)
        {
            sums[(((Warp.Index * 8) + i) * Warp.Size) + Warp.Lane] = sum[i];
        }

        Group.Barrier();
        if (Warp.Index == 0 && column < width)
        {
            for (int w = 1; w < Warps; w++)
            {
                for (int i = 0; i < lanes; i++)
                {
                    sum[i] = sum[i] + sums[(((w * 8) + i) * Warp.Size) + Warp.Lane];
                }
            }

            Put<TWord, TFormat>(sum, gtable, ((long)id * width) + column, vectors, accumulate);
        }
    }

    /// <summary>The first place of the id that is at <paramref name="at"/>; at most <see cref="Long"/> − 1 places earlier.</summary>
    private static int Start(ReadOnlyView<int> ids, int at, int id)
    {
        int low = at - Long + 1 > 0 ? at - Long + 1 : 0, high = at;
        while (low < high)
        {
            int middle = (low + high) >> 1;
            if (ids[middle] < id)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>The first place behind those of the id that is at <paramref name="at"/>.</summary>
    private static int End(ReadOnlyView<int> ids, int at, int count, int id)
    {
        int low = at + 1, high = count;
        while (low < high)
        {
            int middle = (low + high) >> 1;
            if (ids[middle] <= id)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private static void AddRows<TWord, TFormat>(
        ref Registers<float, N8> sum, ReadOnlyView<int> positions, int from, int to, int step, ReadOnlyView<TWord> gy, int width, int column, bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int at = from;
        for (; at + ((Ahead - 1) * step) < to; at += Ahead * step)
        {
            if (vectors)
            {
                Registers<UInt4, N4> loaded = default;
                for (int k = 0; k < Ahead; k++)
                {
                    loaded[k] = Vector(gy, positions[at + (k * step)], width, column, TFormat.Lanes);
                }

                for (int k = 0; k < Ahead; k++)
                {
                    Add<TWord, TFormat>(ref sum, loaded[k]);
                }
            }
            else
            {
                Registers<float, N4> loaded = default;
                for (int k = 0; k < Ahead; k++)
                {
                    loaded[k] = TFormat.Widen(gy[((long)positions[at + (k * step)] * width) + column]);
                }

                for (int k = 0; k < Ahead; k++)
                {
                    sum[0] = sum[0] + loaded[k];
                }
            }
        }

        for (; at < to; at += step)
        {
            if (vectors)
            {
                Add<TWord, TFormat>(ref sum, Vector(gy, positions[at], width, column, TFormat.Lanes));
            }
            else
            {
                sum[0] = sum[0] + TFormat.Widen(gy[((long)positions[at] * width) + column]);
            }
        }
    }

    private static UInt4 Vector<TWord>(ReadOnlyView<TWord> gy, int position, int width, int column, int lanes)
        where TWord : unmanaged => gy.As<UInt4>()[((long)position * (int)((uint)width / (uint)lanes)) + (int)((uint)column / (uint)lanes)];

    private static void Add<TWord, TFormat>(ref Registers<float, N8> sum, UInt4 vector)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        Registers<float, N8> values = TFormat.Unpack(vector);
        for (int i = 0; i < TFormat.Lanes; i++)
        {
            sum[i] = sum[i] + values[i];
        }
    }

    private static void AddPartial<TWord, TFormat>(ref Registers<float, N8> sum, ReadOnlyView<float> partials, long element, bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        if (!vectors)
        {
            sum[0] = sum[0] + partials[element];
            return;
        }

        ReadOnlyView<Float4> source = partials.As<Float4>();
        for (int v = 0; v < TFormat.Lanes / 4; v++)
        {
            Float4 value = source[(element >> 2) + v];
            sum[4 * v] = sum[4 * v] + value.X;
            sum[(4 * v) + 1] = sum[(4 * v) + 1] + value.Y;
            sum[(4 * v) + 2] = sum[(4 * v) + 2] + value.Z;
            sum[(4 * v) + 3] = sum[(4 * v) + 3] + value.W;
        }
    }

    private static void Put<TWord, TFormat>(Registers<float, N8> sum, View<float> gtable, long element, bool vectors, bool accumulate)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        if (!vectors)
        {
            gtable[element] = accumulate ? gtable[element] + sum[0] : sum[0];
            return;
        }

        View<Float4> target = gtable.As<Float4>();
        for (int v = 0; v < TFormat.Lanes / 4; v++)
        {
            long at = (element >> 2) + v;
            Float4 value = new(sum[4 * v], sum[(4 * v) + 1], sum[(4 * v) + 2], sum[(4 * v) + 3]);
            if (accumulate)
            {
                Float4 before = target[at];
                value = new Float4(before.X + value.X, before.Y + value.Y, before.Z + value.Z, before.W + value.W);
            }

            target[at] = value;
        }
    }
}

/// <summary>A word of ones bits.</summary>
internal interface INothing<TWord>
    where TWord : unmanaged
{
    /// <summary>The word.</summary>
    static abstract TWord Value { get; }
}

/// <summary>Of 2 bytes.</summary>
internal readonly struct Nothing2 : INothing<ushort>
{
    public static ushort Value => 0xFFFF;
}

/// <summary>Of 4 bytes.</summary>
internal readonly struct Nothing4 : INothing<uint>
{
    public static uint Value => 0xFFFFFFFF;
}

/// <summary>Of 16 bytes.</summary>
internal readonly struct Nothing16 : INothing<UInt4>
{
    public static UInt4 Value => new(0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF);
}
