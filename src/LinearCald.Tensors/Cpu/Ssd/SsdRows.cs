using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>Row by row work between tiles and the caller's rows.</summary>
internal static unsafe class SsdRows
{
    /// <summary>tile_i = factors_i · source_i, zero in the padding of the columns.</summary>
    public static void CopyScaled<T, TV>(Rows<T> source, int rows, int columns, T* factors, T* tile, nint stride)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        int padded = TilePacking.Registers<T, TV>(columns) * TV.Width;
        for (int i = 0; i < rows; i++)
        {
            T* from = source[i], to = tile + (i * stride);
            TV factor = TV.Broadcast(factors[i]);
            int c = 0;
            for (; c + TV.Width <= columns; c += TV.Width)
            {
                (TV.Load(from + c) * factor).Store(to + c);
            }

            for (; c < columns; c++)
            {
                to[c] = from[c] * factors[i];
            }

            for (; c < padded; c++)
            {
                to[c] = T.Zero;
            }
        }
    }

    /// <summary>tile_i = factors_i · tile_i.</summary>
    public static void Scale<T, TV>(T* tile, int rows, nint stride, int registers, T* factors)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        for (int i = 0; i < rows; i++)
        {
            TilePacking.ScaleRow<T, TV>(tile + (i * stride), factors[i], registers);
        }
    }

    /// <summary>target = factor · source over whole rows of tiles.</summary>
    public static void ScaleInto<T, TV>(T* source, T factor, T* target, int rows, nint stride, int registers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        TV f = TV.Broadcast(factor);
        for (int i = 0; i < rows; i++)
        {
            nint at = i * stride;
            for (int r = 0; r < registers; r++, at += TV.Width)
            {
                (TV.Load(source + at) * f).Store(target + at);
            }
        }
    }

    /// <summary>target_i = first · a_i + second · b_i; b may be skipped with <paramref name="second"/> = 0.</summary>
    public static void Combine<T, TV>(T* a, T first, T* b, T second, T* target, int columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        if (second == T.Zero)
        {
            TilePacking.WriteRow<T, TV>(a, first, target, columns);
            return;
        }

        TV f = TV.Broadcast(first), s = TV.Broadcast(second);
        int c = 0;
        for (; c + TV.Width <= columns; c += TV.Width)
        {
            TV.Fma(TV.Load(b + c), s, TV.Load(a + c) * f).Store(target + c);
        }

        for (; c < columns; c++)
        {
            target[c] = (first * a[c]) + (second * b[c]);
        }
    }

    /// <summary>row ← factor · row; sum += row; returns row · other. All are rows of tiles, padded with zeros.</summary>
    public static T ScaleAddDot<T, TV>(T* row, T factor, T* sum, T* other, int registers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        TV f = TV.Broadcast(factor), dot = TV.Of(0.0);
        for (int r = 0; r < registers; r++, row += TV.Width, sum += TV.Width, other += TV.Width)
        {
            TV value = TV.Load(row) * f;
            (TV.Load(sum) + value).Store(sum);
            dot = TV.Fma(value, TV.Load(other), dot);
        }

        return dot.SumLanes();
    }

    /// <summary>a · b over rows of tiles, padded with zeros.</summary>
    public static T Dot<T, TV>(T* a, T* b, int registers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        TV dot = TV.Of(0.0);
        for (int r = 0; r < registers; r++, a += TV.Width, b += TV.Width)
        {
            dot = TV.Fma(TV.Load(a), TV.Load(b), dot);
        }

        return dot.SumLanes();
    }

    /// <summary>target[c, r] = tile[r, c]: a tile into packed memory.</summary>
    public static void WriteTransposed<T>(T* tile, int rows, int columns, nint stride, T* target)
        where T : unmanaged
    {
        for (int r = 0; r < rows; r++)
        {
            T* from = tile + (r * stride), to = target + r;
            for (int c = 0; c < columns; c++, to += rows)
            {
                *to = from[c];
            }
        }
    }
}
