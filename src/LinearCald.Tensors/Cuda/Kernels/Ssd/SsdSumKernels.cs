using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Sums of the shares that the groups of the backward pass left, in a fixed order. Floor: one read of the shares.</summary>
internal static class SsdSumKernels
{
    /// <summary>target[row, c] = Σ_q parts[q][row][c], and 0 in the padding. One thread an element, or 16 bytes of the target.</summary>
    /// <param name="pitch">Elements from row to row of the target.</param>
    /// <param name="vectors">Whether rows of the target begin at, and are multiples of, 16 bytes, and the parts begin at 16 bytes.</param>
    [Kernel(Name = "ssd_sum_parts")]
    public static void Rows<TWord, TFormat>(
        ReadOnlyView<float> parts, View<TWord> target, ReadOnlyView<int> lengths, int count, int rows, int columns, int pitch, int length, [Constant] bool hasLengths, [Constant] bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int lanes = vectors ? TFormat.Lanes : 1;
        long i = (((long)Grid.IndexX * Group.SizeX) + Group.Thread) * lanes, size = (long)rows * columns;
        if (i < size)
        {
            int row = (int)(i / columns), column = (int)(i - ((long)row * columns));
            bool valid = true;
            if (hasLengths)
            {
                valid = row % length < lengths[row / length];
            }

            int read = valid ? count : 0;
            long at = ((long)row * pitch) + column;
            if (vectors)
            {
                target.As<UInt4>()[at / lanes] = TFormat.Pack(Sums<TWord, TFormat>(parts.As<Float4>(), read, i / 4, size / 4));
            }
            else
            {
                float sum = 0f;
                for (int q = 0; q < read; q++)
                {
                    sum += parts.ReadStreaming((q * size) + i);
                }

                target[at] = TFormat.Narrow(sum);
            }
        }
    }

    private static Registers<float, N8> Sums<TWord, TFormat>(ReadOnlyView<Float4> parts, int count, long first, long size)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        Registers<float, N8> sums = default;
        sums.Fill(0f);
        for (int q = 0; q < count; q++)
        {
            for (int n = 0; n < TFormat.Lanes / 4; n++)
            {
                Float4 part = parts.ReadStreaming((q * size) + first + n);
                sums[4 * n] += part.X;
                sums[(4 * n) + 1] += part.Y;
                sums[(4 * n) + 2] += part.Z;
                sums[(4 * n) + 3] += part.W;
            }
        }

        return sums;
    }

    /// <summary>target[h] = Σ_r parts[r][h]. One thread a head.</summary>
    [Kernel(Name = "ssd_sum_heads")]
    public static void Heads(ReadOnlyView<float> parts, View<float> target, int count, int heads)
    {
        int head = Grid.ThreadX;
        if (head < heads)
        {
            float sum = 0f;
            for (int r = 0; r < count; r++)
            {
                sum += parts[((long)r * heads) + head];
            }

            target[head] = sum;
        }
    }
}
