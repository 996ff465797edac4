using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Copies and fills between any strides and element types, at device addresses. Contiguous copies and conversions run in packs, as kernels also where the driver
/// has a call: in a recording its copies and fills would be nodes of another kind, see <see cref="GraphContents"/>. Elsewhere,
/// where both sides have a contiguous innermost dimension, words of up to 16 bytes are moved by number; where they have different ones, tiles go through shared
/// memory; what remains moves one element a thread.
/// </summary>
internal static unsafe class Copy
{
    private const int MostStacked = 65535;
    private const int LeastTile = 8;

    private static readonly Kernel s_cast = Kernel.Of(CopyKernels.Cast);
    private static readonly Kernel s_castStrided = Kernel.Of(CopyKernels.CastStrided);

    /// <param name="accelerator">The device.</param>
    /// <param name="x">First element of the source.</param>
    /// <param name="xType">Its type.</param>
    /// <param name="xStrides">Its strides in elements; 0 repeats.</param>
    /// <param name="y">First element of the destination, which must not overlap the source.</param>
    /// <param name="yType">Its type.</param>
    /// <param name="yStrides">Its strides in elements.</param>
    /// <param name="shape">The extents of both.</param>
    public static void Run(Accelerator accelerator, nint x, DType xType, in Strides xStrides, nint y, DType yType, in Strides yStrides, in Shape shape)
    {
        if (shape.Count > 0)
        {
            Cut(accelerator, CopyPlan.Of(shape, xStrides, yStrides), x, xType, y, yType);
        }
    }

    /// <summary>Sets every byte of a buffer.</summary>
    public static void FillBytes(Accelerator accelerator, nint y, long bytes, byte value)
    {
        if (((y | (nint)bytes) & 3) == 0)
        {
            FillRun(accelerator, y, bytes / 4, value * 0x01010101u);
        }
        else
        {
            FillRun(accelerator, y, bytes, value);
        }
    }

    /// <summary>Converts contiguous elements.</summary>
    private static void Cast(Accelerator accelerator, nint x, DType xType, nint y, DType yType, long count)
    {
        int xSize = xType.Size(), ySize = yType.Size();
        int lanes = 16 / Math.Max(xSize, ySize);
        bool vectors = x % (lanes * xSize) == 0 && y % (lanes * ySize) == 0;
        for (long from = 0; from < count; from += Elementwise.Slice)
        {
            int part = (int)Math.Min(Elementwise.Slice, count - from);
            View<byte> xs = new((byte*)x + (from * xSize), (long)part * xSize), ys = new((byte*)y + (from * ySize), (long)part * ySize);
            accelerator.Launch(s_cast, Elementwise.Over(vectors ? part / lanes : part), xs, ys, part, xType, yType, vectors);
        }
    }

    /// <summary>Copies contiguous words.</summary>
    private static void CopyRun<TWord>(Accelerator accelerator, nint x, nint y, long count)
        where TWord : unmanaged
    {
        int lanes = ((x | y) & 15) == 0 ? 16 / sizeof(TWord) : 1;
        for (long from = 0; from < count; from += Elementwise.Slice)
        {
            int part = (int)Math.Min(Elementwise.Slice, count - from);
            accelerator.Launch(
                CopyKernel<TWord>.Instance, Elementwise.Over(part / lanes), new View<TWord>((TWord*)x + from, part), new View<TWord>((TWord*)y + from, part), part, lanes);
        }
    }

    /// <summary>Sets every element of a strided buffer.</summary>
    public static void Fill(Accelerator accelerator, nint y, DType type, in Strides strides, in Shape shape, double value)
    {
        if (shape.Count == 0)
        {
            return;
        }

        CopyPlan plan = CopyPlan.Of(shape, strides, strides);
        ulong bits = ElementConversion.Convert(BitConverter.DoubleToUInt64Bits(value), DType.Float64, type);
        switch (type.Size())
        {
            case 8: FillCut(accelerator, plan, y, bits); break;
            case 4: FillCut(accelerator, plan, y, (uint)bits); break;
            case 2: FillCut(accelerator, plan, y, (ushort)bits); break;
            default: FillCut(accelerator, plan, y, (byte)bits); break;
        }
    }

    private static void Cut(Accelerator accelerator, in CopyPlan plan, nint x, DType xType, nint y, DType yType)
    {
        if (plan.IsContiguous && xType != yType)
        {
            Cast(accelerator, x, xType, y, yType, plan.Count);
        }
        else if (plan.IsContiguous)
        {
            switch (xType.Size())
            {
                case 8: CopyRun<ulong>(accelerator, x, y, plan.Count); break;
                case 4: CopyRun<uint>(accelerator, x, y, plan.Count); break;
                case 2: CopyRun<ushort>(accelerator, x, y, plan.Count); break;
                default: CopyRun<byte>(accelerator, x, y, plan.Count); break;
            }
        }
        else if (plan.Count > Elementwise.Slice)
        {
            foreach ((CopyPlan part, long xOffset, long yOffset) in plan.Parts(Elementwise.Slice))
            {
                Cut(accelerator, part, x + (nint)(xOffset * xType.Size()), xType, y + (nint)(yOffset * yType.Size()), yType);
            }
        }
        else if (xType != yType)
        {
            View<byte> xs = new((byte*)x, plan.XExtent * xType.Size()), ys = new((byte*)y, plan.YExtent * yType.Size());
            accelerator.Launch(s_castStrided, Elementwise.Over(plan.Count), xs, ys, plan.Index(), plan.Rank, xType, yType);
        }
        else
        {
            CopyPlan words = plan.Widened(x, y, xType.Size(), out int size);
            switch (size)
            {
                case 16: Move<UInt4>(accelerator, words, x, y); break;
                case 8: Move<ulong>(accelerator, words, x, y); break;
                case 4: Move<uint>(accelerator, words, x, y); break;
                case 2: Move<ushort>(accelerator, words, x, y); break;
                default: Move<byte>(accelerator, words, x, y); break;
            }
        }
    }

    private static void Move<TWord>(Accelerator accelerator, in CopyPlan plan, nint x, nint y)
        where TWord : unmanaged
    {
        View<TWord> xs = new((TWord*)x, plan.XExtent), ys = new((TWord*)y, plan.YExtent);
        if (plan.Transposed(LeastTile, out int down, out int across))
        {
            CopyPlan stack = plan.Without(down, across);
            if (stack.Count <= MostStacked)
            {
                int rows = (int)plan.Extents[down], columns = (int)plan.Extents[across];
                int tilesDown = Tiles(rows);
                LaunchShape shape = new(
                    new Index3(checked(tilesDown * Tiles(columns)), (int)stack.Count), new Index3(CopyKernels.Tile, CopyKernels.TileThreads));
                accelerator.Launch(
                    TransposeKernel<TWord>.Instance, shape, xs, ys, rows, columns, plan.XSteps[across], plan.YSteps[down], new FastDivisor(tilesDown),
                    stack.Index(), stack.Rank);
                return;
            }
        }

        accelerator.Launch(StridedKernel<TWord>.Instance, Elementwise.Over(plan.Count), xs, ys, plan.Index(), plan.Rank);
    }

    private static int Tiles(int extent) => (extent + CopyKernels.Tile - 1) / CopyKernels.Tile;

    private static void FillCut<TWord>(Accelerator accelerator, in CopyPlan plan, nint y, TWord word)
        where TWord : unmanaged
    {
        if (plan.IsContiguous)
        {
            FillRun(accelerator, y, plan.Count, word);
        }
        else if (plan.Count > Elementwise.Slice)
        {
            foreach ((CopyPlan part, _, long offset) in plan.Parts(Elementwise.Slice))
            {
                FillCut(accelerator, part, y + (nint)(offset * sizeof(TWord)), word);
            }
        }
        else
        {
            accelerator.Launch(FillStridedKernel<TWord>.Instance, Elementwise.Over(plan.Count), new View<TWord>((TWord*)y, plan.YExtent), word, plan.Index(), plan.Rank);
        }
    }

    private static void FillRun<TWord>(Accelerator accelerator, nint y, long count, TWord word)
        where TWord : unmanaged
    {
        UInt4 vector = default;
        new Span<TWord>(&vector, 16 / sizeof(TWord)).Fill(word);
        int lanes = (y & 15) == 0 ? 16 / sizeof(TWord) : 1;
        for (long from = 0; from < count; from += Elementwise.Slice)
        {
            int part = (int)Math.Min(Elementwise.Slice, count - from);
            accelerator.Launch(FillKernel<TWord>.Instance, Elementwise.Over(part / lanes), new View<TWord>((TWord*)y + from, part), part, word, vector, lanes);
        }
    }

    private static class CopyKernel<TWord>
        where TWord : unmanaged
    {
        public static readonly Kernel Instance = Kernel.Of(CopyKernels.Copy<TWord>);
    }

    private static class StridedKernel<TWord>
        where TWord : unmanaged
    {
        public static readonly Kernel Instance = Kernel.Of(CopyKernels.Strided<TWord>);
    }

    private static class TransposeKernel<TWord>
        where TWord : unmanaged
    {
        public static readonly Kernel Instance = Kernel.Of(CopyKernels.Transpose<TWord>);
    }

    private static class FillKernel<TWord>
        where TWord : unmanaged
    {
        public static readonly Kernel Instance = Kernel.Of(CopyKernels.Fill<TWord>);
    }

    private static class FillStridedKernel<TWord>
        where TWord : unmanaged
    {
        public static readonly Kernel Instance = Kernel.Of(CopyKernels.FillStrided<TWord>);
    }
}
