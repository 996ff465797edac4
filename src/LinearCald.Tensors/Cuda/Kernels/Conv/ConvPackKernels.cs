using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Copies that give the operands of a convolution the layout in which its patches are runs of memory. A thread copies <see cref="InFlight"/> items of up to 16
/// bytes and reads all before it writes the first. Floor: one read and one write.
/// </summary>
internal static class ConvPackKernels
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>Items that a thread has under way.</summary>
    public const int InFlight = 4;

    /// <summary>
    /// The channels of each group by themselves, with zeros around the rows of a sample: [B, T, C] → [groups, B, rows, C/groups], where row t goes to row
    /// <see cref="ConvPackSizes.Before"/> + t. Grid: rows of a sample along x, samples along y, groups along z.
    /// </summary>
    [Kernel(Name = "conv1d_rows")]
    public static void Rows<TItem>(ReadOnlyView<TItem> x, View<TItem> y, ConvPackSizes sizes)
        where TItem : unmanaged
    {
        int width = sizes.Width.Divisor, first = (Grid.IndexX * (Threads * InFlight)) + Group.Thread, count = sizes.Rows * width;
        ReadOnlyView<TItem> from = x.From(((long)Grid.IndexY * sizes.InputRows * sizes.InputPitch) + (Grid.IndexZ * width));
        View<TItem> to = y.From((((long)Grid.IndexZ * Grid.SizeY) + Grid.IndexY) * count);
        Registers<TItem, N4> items = default;
        for (int k = 0; k < InFlight; k++)
        {
            int i = Math.Min(first + (k * Threads), count - 1), row = sizes.Width.Divide(i), source = row - sizes.Before;
            TItem item = from[((long)Math.Clamp(source, 0, sizes.InputRows - 1) * sizes.InputPitch) + (i - (row * width))];
            items[k] = (uint)source < (uint)sizes.InputRows ? item : default;
        }

        for (int k = 0; k < InFlight; k++)
        {
            if (first + (k * Threads) < count)
            {
                to[first + (k * Threads)] = items[k];
            }
        }
    }

    /// <summary>
    /// Every so manieth tap of a weight in descending order, outside the outputs: [groups, outputs, K, inputs] → [groups, taps, outputs, inputs], where tap j is tap
    /// <see cref="ConvTapSizes.Last"/> − j · <see cref="ConvTapSizes.Step"/>. Grid: outputs × inputs of a tap along x, taps along y, groups along z.
    /// </summary>
    [Kernel(Name = "conv1d_taps")]
    public static void Taps<TItem>(ReadOnlyView<TItem> w, View<TItem> y, ConvTapSizes sizes)
        where TItem : unmanaged
    {
        int width = sizes.Width.Divisor, first = (Grid.IndexX * (Threads * InFlight)) + Group.Thread, count = sizes.Outputs * width;
        int tap = sizes.Last - (Grid.IndexY * sizes.Step);
        ReadOnlyView<TItem> from = w.From((((long)Grid.IndexZ * sizes.Outputs * sizes.Taps) + tap) * width);
        View<TItem> to = y.From((((long)Grid.IndexZ * Grid.SizeY) + Grid.IndexY) * count);
        Registers<TItem, N4> items = default;
        for (int k = 0; k < InFlight; k++)
        {
            int i = Math.Min(first + (k * Threads), count - 1), output = sizes.Width.Divide(i);
            items[k] = from[((long)output * sizes.Taps * width) + (i - (output * width))];
        }

        for (int k = 0; k < InFlight; k++)
        {
            if (first + (k * Threads) < count)
            {
                to[first + (k * Threads)] = items[k];
            }
        }
    }
}

/// <summary>What <see cref="ConvPackKernels.Rows"/> is told at launch; widths count items.</summary>
internal struct ConvPackSizes
{
    /// <summary>Rows of a sample that there are.</summary>
    public int InputRows;

    /// <summary>Items of all channels of a row.</summary>
    public int InputPitch;

    /// <summary>Zero rows before them.</summary>
    public int Before;

    /// <summary>Rows of a sample that are written.</summary>
    public int Rows;

    /// <summary>Items of a group's channels.</summary>
    public FastDivisor Width;
}

/// <summary>What <see cref="ConvPackKernels.Taps"/> is told at launch; widths count items.</summary>
internal struct ConvTapSizes
{
    /// <summary>Output channels of a group.</summary>
    public int Outputs;

    /// <summary>K.</summary>
    public int Taps;

    /// <summary>The first tap written.</summary>
    public int Last;

    /// <summary>Taps from one to the next.</summary>
    public int Step;

    /// <summary>Items of a group's input channels.</summary>
    public FastDivisor Width;
}
