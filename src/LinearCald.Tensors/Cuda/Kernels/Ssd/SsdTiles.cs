using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Movement of the tiles of a scan. Rows are steps, which may run backwards in device memory.</summary>
internal static class SsdTiles
{
    /// <summary>Starts copying rows × columns elements; those from <paramref name="validRows"/> or <paramref name="validColumns"/> on become 0.</summary>
    /// <param name="first">Index of the first element.</param>
    /// <param name="step">Elements from one row to the next in device memory; may be negative.</param>
    /// <param name="vectors">Whether everything is at whole 16 bytes: then copies are asynchronous.</param>
    public static unsafe void Load<T>(
        Shared<T> tile, int stride, int rows, int columns, ReadOnlyView<T> source, long first, int step, int validRows, int validColumns, bool vectors)
        where T : unmanaged
    {
        if (vectors)
        {
            int chunk = 16 / sizeof(T), perRow = columns / chunk, stepChunks = step / chunk;
            long firstChunk = first / chunk;
            Shared<UInt4> target = tile.As<UInt4>();
            ReadOnlyView<UInt4> from = source.As<UInt4>();
            for (int n = 0; n < rows * perRow; n += SsdSizes.Threads)
            {
                Loop.Unroll();
                int i = Group.Thread + n, row = i / perRow, column = i % perRow;
                AsyncCopy.CopyOrClear(
                    target, (row * (stride / chunk)) + column, from, firstChunk + ((long)row * stepChunks) + column, row < validRows && column * chunk < validColumns);
            }
        }
        else
        {
            for (int i = Group.Thread; i < rows * columns; i += SsdSizes.Threads)
            {
                Loop.Keep();
                int row = i / columns, column = i % columns;
                T value = default;
                if (row < validRows && column < validColumns)
                {
                    value = source[first + ((long)row * step) + column];
                }

                tile[(row * stride) + column] = value;
            }
        }
    }

    /// <summary>Writes the block of a warp, 16 rows × 8·N columns.</summary>
    /// <param name="first">Index of the first element of row 0.</param>
    public static void Store<TProduct, T, TN>(
        ref Registers<Float4, Times<N1, TN>> block, View<T> target, long first, int step, int validRows, int validColumns, bool pairs)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TN : struct, ICount
    {
        int row = Warp.Lane >> 2, column = (Warp.Lane & 3) * 2;
        for (int n = 0; n < TN.Value; n++)
        {
            Float4 v = block[n];
            int at = (8 * n) + column;
            if (row < validRows)
            {
                Put<TProduct, T>(target, first + ((long)row * step) + at, validColumns - at, v.X, v.Y, pairs);
            }

            if (row + 8 < validRows)
            {
                Put<TProduct, T>(target, first + ((long)(row + 8) * step) + at, validColumns - at, v.Z, v.W, pairs);
            }
        }
    }

    /// <summary>Writes up to two neighbouring elements.</summary>
    /// <param name="left">How many columns there are from here on.</param>
    public static void Put<TProduct, T>(View<T> target, long index, int left, float low, float high, bool pairs)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
    {
        if (pairs)
        {
            if (left > 0)
            {
                TProduct.WritePair(target, index, low, high);
            }
        }
        else
        {
            if (left > 0)
            {
                target[index] = TProduct.Narrow(low);
            }

            if (left > 1)
            {
                target[index + 1] = TProduct.Narrow(high);
            }
        }
    }

    /// <summary>Zero in some columns of the padding, by all threads of all turns.</summary>
    public static void ClearPadding<T>(View<T> target, int pitch, SsdPath path, int first, int columns, int turn, SsdSizes sizes, SsdTraits traits)
        where T : unmanaged
    {
        int turns = traits.IsCut ? sizes.Segments : 1;
        for (int i = (turn * SsdSizes.Threads) + Group.Thread; i < (path.End - path.Padding) * columns; i += turns * SsdSizes.Threads)
        {
            Loop.Keep();
            target[((long)(path.Padding + (i / columns)) * pitch) + first + (i % columns)] = default;
        }
    }

    /// <summary>The sum over the four lanes that share a row, on each of them.</summary>
    public static float QuadSum(float value)
    {
        value += Warp.ShuffleXor(value, 1);
        return value + Warp.ShuffleXor(value, 2);
    }
}
