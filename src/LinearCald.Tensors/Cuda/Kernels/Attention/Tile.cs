using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Movement of tiles between device memory, shared memory and registers by all threads of a group.</summary>
internal static class Tile
{
    /// <summary>
    /// Starts copying <paramref name="rows"/> × <paramref name="columns"/> elements; those from <paramref name="validRows"/> or <paramref name="validColumns"/> on become 0.
    /// </summary>
    /// <param name="stride">Elements of a row of the tile; known, as are rows, columns and vectors.</param>
    /// <param name="source">From the tile's first element on.</param>
    /// <param name="sourceStride">Elements of a row in device memory.</param>
    /// <param name="vectors">Whether rows start at 16 bytes and valid columns are whole accesses of 16 bytes: then asynchronous copies are used.</param>
    public static unsafe void Load<T>(
        Shared<T> tile, int stride, int rows, int columns, ReadOnlyView<T> source, int sourceStride, int validRows, int validColumns, bool vectors)
        where T : unmanaged
    {
        if (vectors)
        {
            int chunk = 16 / sizeof(T), perRow = columns / chunk, sourceChunks = sourceStride / chunk;
            Shared<UInt4> target = tile.As<UInt4>();
            ReadOnlyView<UInt4> from = source.As<UInt4>();
            for (int n = 0; n < rows * perRow; n += Group.SizeX)
            {
                Loop.Unroll();
                int i = Group.Thread + n, row = i / perRow, column = i % perRow;
                if (n + Group.SizeX <= rows * perRow || i < rows * perRow)
                {
                    AsyncCopy.CopyOrClear(target, (row * (stride / chunk)) + column, from, (row * sourceChunks) + column, row < validRows && column * chunk < validColumns);
                }
            }
        }
        else
        {
            for (int i = Group.Thread; i < rows * columns; i += Group.SizeX)
            {
                Loop.Keep();
                int row = i / columns, column = i % columns;
                T value = default;
                if (row < validRows && column < validColumns)
                {
                    value = source[((long)row * sourceStride) + column];
                }

                tile[(row * stride) + column] = value;
            }
        }
    }

    /// <summary>Clears the columns <paramref name="first"/> … <paramref name="end"/> − 1 of all rows; both known.</summary>
    public static void Clear<T>(Shared<T> tile, int stride, int rows, int first, int end)
        where T : unmanaged
    {
        if (first < end)
        {
            for (int i = Group.Thread; i < rows * (end - first); i += Group.SizeX)
            {
                Loop.Keep();
                tile[(i / (end - first) * stride) + first + (i % (end - first))] = default;
            }
        }
    }

    /// <summary>Writes a warp's 16·M × 8·N block of results: rows below <paramref name="validRows"/>, columns below <paramref name="columns"/>.</summary>
    /// <param name="target">From the block's first element on.</param>
    /// <param name="targetStride">Elements of a row in device memory.</param>
    /// <param name="pairs">Whether rows start at even elements and columns are even; known.</param>
    public static void Store<TProduct, T, TM, TN>(
        ref Registers<Float4, Times<TM, TN>> block, View<T> target, int targetStride, int validRows, int columns, bool pairs)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TM : struct, ICount
        where TN : struct, ICount
    {
        int row = Warp.Lane >> 2, column = (Warp.Lane & 3) * 2;
        for (int m = 0; m < TM.Value; m++)
        {
            int upper = (16 * m) + row, lower = upper + 8;
            for (int n = 0; n < TN.Value; n++)
            {
                Float4 x = block[(m * TN.Value) + n];
                int at = (8 * n) + column;
                if (upper < validRows)
                {
                    Put<TProduct, T>(target, (upper * targetStride) + at, columns - at, x.X, x.Y, pairs);
                }

                if (lower < validRows)
                {
                    Put<TProduct, T>(target, (lower * targetStride) + at, columns - at, x.Z, x.W, pairs);
                }
            }
        }
    }

    private static void Put<TProduct, T>(View<T> target, int index, int left, float low, float high, bool pairs)
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
}
