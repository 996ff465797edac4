using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>Copies between the caller's strided rows and padded tiles of scratch memory.</summary>
internal static unsafe class TilePacking
{
    /// <summary>
    /// Elements from row to row of a tile: whole registers, an odd number of them, so that a column of a tile does not fall into few sets of
    /// the cache; and at least a step of rows, because tiles are used transposed as well.
    /// </summary>
    public static int Stride<T, TV>(int columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        int registers = Registers<T, TV>(columns);
        int stride = (registers | 1) * TV.Width;
        return (stride + TileProduct.RowStep - 1) / TileProduct.RowStep * TileProduct.RowStep;
    }

    /// <summary>Registers that hold this many columns.</summary>
    public static int Registers<T, TV>(int columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T> => (columns + TV.Width - 1) / TV.Width;

    /// <summary>Rounded up to what <see cref="TileProduct"/> computes.</summary>
    public static int Rows(int rows) => (rows + TileProduct.RowStep - 1) / TileProduct.RowStep * TileProduct.RowStep;

    /// <summary>tile[i, d] = factor · source[i, d], zero in the padding of rows and columns.</summary>
    public static void Copy<T, TV>(Rows<T> source, int rows, int columns, T factor, T* tile, nint stride)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        int whole = columns - (columns % TV.Width), padded = Registers<T, TV>(columns) * TV.Width;
        TV f = TV.Broadcast(factor);
        for (int i = 0; i < rows; i++)
        {
            T* from = source[i], to = tile + (i * stride);
            int d = 0;
            for (; d < whole; d += TV.Width)
            {
                (TV.Load(from + d) * f).Store(to + d);
            }

            for (; d < columns; d++)
            {
                to[d] = from[d] * factor;
            }

            for (; d < padded; d++)
            {
                to[d] = T.Zero;
            }
        }

        for (int i = rows; i < Rows(rows); i++)
        {
            new Span<T>(tile + (i * stride), padded).Clear();
        }
    }

    /// <summary>tile[d, i] = source[i, d], zero in the padding of the tile's columns.</summary>
    public static void CopyTransposed<T, TV>(Rows<T> source, int rows, int columns, T* tile, nint stride)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        int padded = Registers<T, TV>(rows) * TV.Width;
        int i = 0;
        for (; i + 4 <= rows; i += 4)
        {
            T* r0 = source[i], r1 = source[i + 1], r2 = source[i + 2], r3 = source[i + 3];
            T* to = tile + i;
            for (int d = 0; d < columns; d++)
            {
                to[0] = r0[d];
                to[1] = r1[d];
                to[2] = r2[d];
                to[3] = r3[d];
                to += stride;
            }
        }

        for (; i < padded; i++)
        {
            T* from = source[i];
            for (int d = 0; d < columns; d++)
            {
                tile[(d * stride) + i] = i < rows ? from[d] : T.Zero;
            }
        }
    }

    /// <summary>target[d] = factor · tile[d].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteRow<T, TV>(T* tile, T factor, T* target, int columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        TV f = TV.Broadcast(factor);
        int d = 0;
        for (; d + TV.Width <= columns; d += TV.Width)
        {
            (TV.Load(tile + d) * f).Store(target + d);
        }

        for (; d < columns; d++)
        {
            target[d] = tile[d] * factor;
        }
    }

    /// <summary>Multiplies a whole tile row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ScaleRow<T, TV>(T* tile, T factor, int registers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        TV f = TV.Broadcast(factor);
        for (int r = 0; r < registers; r++, tile += TV.Width)
        {
            (TV.Load(tile) * f).Store(tile);
        }
    }
}
