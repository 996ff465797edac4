using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Sums of the shares that the groups of the backward pass left, in a fixed order. Floor: one read of the shares.</summary>
internal static class SsdSumKernels
{
    /// <summary>target[row, c] = Σ_q parts[q][row][c], and 0 in the padding. One thread an element.</summary>
    /// <param name="pitch">Elements from row to row of the target.</param>
    [Kernel(Name = "ssd_sum_parts")]
    public static void Rows<TWord, TFormat>(
        ReadOnlyView<float> parts, View<TWord> target, ReadOnlyView<int> lengths, int count, int rows, int columns, int pitch, int length, [Constant] bool hasLengths)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        long i = ((long)Grid.IndexX * Group.SizeX) + Group.Thread, size = (long)rows * columns;
        if (i < size)
        {
            int row = (int)(i / columns), column = (int)(i - ((long)row * columns));
            bool valid = true;
            if (hasLengths)
            {
                valid = row % length < lengths[row / length];
            }

            float sum = 0f;
            if (valid)
            {
                for (int q = 0; q < count; q++)
                {
                    sum += parts.ReadStreaming((q * size) + i);
                }
            }

            target[((long)row * pitch) + column] = TFormat.Narrow(sum);
        }
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
