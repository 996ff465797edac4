using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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
        if (typeof(TV) == typeof(Wide512<float>) && Shuffle512.IsSupported)
        {
            for (; i + 16 <= rows; i += 16)
            {
                Transpose16((float*)source[i], source.Stride, columns, (float*)tile + i, stride);
            }
        }

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

    /// <summary>Sixteen rows become sixteen columns, four rows of the tile at a time.</summary>
    private static void Transpose16(float* source, nint sourceStride, int columns, float* tile, nint stride)
    {
        nint pitch = 4 * sourceStride * sizeof(float);
        byte* r0 = (byte*)source, r1 = (byte*)(source + sourceStride), r2 = (byte*)(source + (2 * sourceStride)), r3 = (byte*)(source + (3 * sourceStride));
        int d = 0;
        for (; d + 4 <= columns; d += 4, r0 += 16, r1 += 16, r2 += 16, r3 += 16, tile += 4 * stride)
        {
            Vector512<float> x0 = Shuffle512.LoadLanes(r0, pitch), x1 = Shuffle512.LoadLanes(r1, pitch);
            Vector512<float> x2 = Shuffle512.LoadLanes(r2, pitch), x3 = Shuffle512.LoadLanes(r3, pitch);
            Vector512<float> low01 = Shuffle512.Low32(x0, x1), high01 = Shuffle512.High32(x0, x1);
            Vector512<float> low23 = Shuffle512.Low32(x2, x3), high23 = Shuffle512.High32(x2, x3);
            Shuffle512.Low64(low01, low23).Store(tile);
            Shuffle512.High64(low01, low23).Store(tile + stride);
            Shuffle512.Low64(high01, high23).Store(tile + (2 * stride));
            Shuffle512.High64(high01, high23).Store(tile + (3 * stride));
        }

        for (; d < columns; d++, tile += stride)
        {
            for (int i = 0; i < 16; i++)
            {
                tile[i] = source[(i * sourceStride) + d];
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

    /// <summary>target[c] = Σ_r parts[r][c], r ascending: the same bits at every register width.</summary>
    public static void SumRows<T>(Rows<T> parts, int rows, T* target, int columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int c = 0;
        for (; c + Vector<T>.Count <= columns; c += Vector<T>.Count)
        {
            Vector<T> sum = Vector.Load(parts[0] + c);
            for (int r = 1; r < rows; r++)
            {
                sum += Vector.Load(parts[r] + c);
            }

            sum.Store(target + c);
        }

        for (; c < columns; c++)
        {
            T sum = parts[0][c];
            for (int r = 1; r < rows; r++)
            {
                sum += parts[r][c];
            }

            target[c] = sum;
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
