using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of <see cref="ConvPackKernels"/> on elements of two or four bytes; they are moved, not looked at.</summary>
internal static unsafe class ConvPack
{
    private const int MostAlongY = 65535;

    /// <summary>[batch, inputRows, groups · channels] → [groups, batch, rows, channels] with <paramref name="before"/> zero rows before a sample's and zeros after them.</summary>
    public static void Rows(Accelerator accelerator, nint x, nint y, int elementBytes, int batch, int inputRows, int channels, int groups, int before, int rows)
    {
        if (batch > MostAlongY || groups > MostAlongY || (long)rows * channels * elementBytes > int.MaxValue)
        {
            throw new CaldException(
                $"Conv1d: {batch:N0} samples of {rows:N0} rows in {groups:N0} groups of {channels:N0} channels; there are at most {MostAlongY:N0} samples and groups, and 2 GiB of a sample in a group: split the batch or the sequence");
        }

        if (inputRows == 0)
        {
            Copy.FillBytes(accelerator, y, (long)batch * groups * rows * channels * elementBytes, 0);
            return;
        }

        int item = Item(x | y, channels * elementBytes);
        ConvPackSizes sizes = new()
        {
            InputRows = inputRows,
            InputPitch = channels * groups * elementBytes / item,
            Before = before,
            Rows = rows,
            Width = new FastDivisor(channels * elementBytes / item),
        };
        LaunchShape shape = Shape((long)rows * sizes.Width.Divisor, batch, groups);
        long from = (long)batch * inputRows * sizes.InputPitch, to = (long)batch * groups * rows * sizes.Width.Divisor;
        switch (item)
        {
            case 16: accelerator.Launch(s_rows16, shape, new ReadOnlyView<UInt4>((UInt4*)x, from), new View<UInt4>((UInt4*)y, to), sizes); break;
            case 4: accelerator.Launch(s_rows4, shape, new ReadOnlyView<uint>((uint*)x, from), new View<uint>((uint*)y, to), sizes); break;
            default: accelerator.Launch(s_rows2, shape, new ReadOnlyView<ushort>((ushort*)x, from), new View<ushort>((ushort*)y, to), sizes); break;
        }
    }

    /// <summary>[groups, outputs, taps, inputs] → [groups, count, outputs, inputs]: taps last, last − step, …, of which there are <paramref name="count"/>.</summary>
    public static void Taps(Accelerator accelerator, nint w, nint y, int elementBytes, int groups, int outputs, int taps, int inputs, int last, int step, int count)
    {
        if (count > MostAlongY || groups > MostAlongY || (long)outputs * inputs * elementBytes > int.MaxValue)
        {
            throw new CaldException($"Conv1d: {groups:N0} groups, {count:N0} taps of {outputs:N0} × {inputs:N0} channels; there are at most {MostAlongY:N0} groups and taps, and 2 GiB of a tap");
        }

        int item = Item(w | y, inputs * elementBytes);
        ConvTapSizes sizes = new() { Outputs = outputs, Taps = taps, Last = last, Step = step, Width = new FastDivisor(inputs * elementBytes / item) };
        LaunchShape shape = Shape((long)outputs * sizes.Width.Divisor, count, groups);
        long each = (long)groups * outputs * sizes.Width.Divisor, from = each * taps, to = each * count;
        switch (item)
        {
            case 16: accelerator.Launch(s_taps16, shape, new ReadOnlyView<UInt4>((UInt4*)w, from), new View<UInt4>((UInt4*)y, to), sizes); break;
            case 4: accelerator.Launch(s_taps4, shape, new ReadOnlyView<uint>((uint*)w, from), new View<uint>((uint*)y, to), sizes); break;
            default: accelerator.Launch(s_taps2, shape, new ReadOnlyView<ushort>((ushort*)w, from), new View<ushort>((ushort*)y, to), sizes); break;
        }
    }

    // The widest item that addresses and rows are multiples of.
    private static int Item(nint addresses, int rowBytes)
    {
        long all = addresses | (nint)rowBytes;
        return (all & 15) == 0 ? 16 : (all & 3) == 0 ? 4 : 2;
    }

    private static LaunchShape Shape(long items, int alongY, int alongZ)
    {
        const int each = ConvPackKernels.Threads * ConvPackKernels.InFlight;
        return new LaunchShape(new Index3((int)((items + each - 1) / each), alongY, alongZ), ConvPackKernels.Threads);
    }

    private static readonly Kernel s_rows16 = Kernel.Of(ConvPackKernels.Rows<UInt4>);
    private static readonly Kernel s_rows4 = Kernel.Of(ConvPackKernels.Rows<uint>);
    private static readonly Kernel s_rows2 = Kernel.Of(ConvPackKernels.Rows<ushort>);
    private static readonly Kernel s_taps16 = Kernel.Of(ConvPackKernels.Taps<UInt4>);
    private static readonly Kernel s_taps4 = Kernel.Of(ConvPackKernels.Taps<uint>);
    private static readonly Kernel s_taps2 = Kernel.Of(ConvPackKernels.Taps<ushort>);
}
