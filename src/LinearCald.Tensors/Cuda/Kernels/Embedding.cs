using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of <see cref="EmbeddingKernels"/> at device addresses.</summary>
internal static unsafe class Embedding
{
    /// <summary>y[i] = table[ids[i]]: table [rows, width] and y [count, width] of one type. Ids outside of the table give rows of NaN.</summary>
    public static void Forward(Accelerator accelerator, DType type, nint table, int rows, int width, nint ids, long count, nint y)
    {
        if (!type.IsFloat())
        {
            throw Elementwise.Unsupported("Embedding", type);
        }

        if (count == 0 || width == 0)
        {
            return;
        }

        if (rows == 0)
        {
            Copy.FillBytes(accelerator, y, count * width * type.Size(), 0xFF);
            return;
        }

        int bytes = width * type.Size();
        if (Elementwise.Aligned(table, y, bytes))
        {
            Forward<UInt4, Nothing16>(accelerator, table, rows, bytes / 16, ids, count, y);
        }
        else if (((table | y | bytes) & 3) == 0)
        {
            Forward<uint, Nothing4>(accelerator, table, rows, bytes / 4, ids, count, y);
        }
        else
        {
            Forward<ushort, Nothing2>(accelerator, table, rows, bytes / 2, ids, count, y);
        }
    }

    /// <summary>
    /// gtable[r] = Σ gy[i] over the i with ids[i] = r, in an order that depends on the ids only; rows that do not occur become 0. Accumulating, the sums are added to gtable, whose other
    /// rows are left alone. Ids outside of the table count for nothing.
    /// </summary>
    /// <param name="type">Of gy [count, width]; gtable [rows, width] is float32.</param>
    /// <param name="padding">The row that gets no gradient; −1 for none.</param>
    public static void Gradient(
        Accelerator accelerator, DType type, nint ids, long count, nint gy, nint gtable, int rows, int width, int padding, bool accumulate)
    {
        switch (type)
        {
            case DType.Float32: Gradient<float, Float32Format>(accelerator, ids, count, gy, gtable, rows, width, padding, accumulate); break;
            case DType.BFloat16: Gradient<ushort, BFloat16Format>(accelerator, ids, count, gy, gtable, rows, width, padding, accumulate); break;
            case DType.Float16: Gradient<ushort, Float16Format>(accelerator, ids, count, gy, gtable, rows, width, padding, accumulate); break;
            default: throw Elementwise.Unsupported("EmbeddingGradient", type);
        }
    }

    private static void Forward<TWord, TNothing>(Accelerator accelerator, nint table, int rows, int words, nint ids, long count, nint y)
        where TWord : unmanaged
        where TNothing : struct, INothing<TWord>
    {
        FastDivisor width = new(words);
        long slice = Math.Max(1, Elementwise.Slice / words);
        ReadOnlyView<TWord> all = new((TWord*)table, (long)rows * words);
        for (long from = 0; from < count; from += slice)
        {
            long part = Math.Min(slice, count - from);
            accelerator.Launch(
                GatherKernel<TWord, TNothing>.Instance, Elementwise.Over(part * words), all, new ReadOnlyView<int>((int*)ids + from, part),
                new View<TWord>((TWord*)y + (from * words), part * words), (int)(part * words), rows, width);
        }
    }

    private static void Gradient<TWord, TFormat>(
        Accelerator accelerator, nint ids, long count, nint gy, nint gtable, int rows, int width, int padding, bool accumulate)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        long size = (long)rows * width;
        if (!accumulate && size > 0)
        {
            Copy.FillBytes(accelerator, gtable, size * sizeof(float), 0);
        }

        if (count == 0 || size == 0)
        {
            return;
        }

        int places = checked((int)count);
        using IdOrder order = new(accelerator, ids, places, rows, padding);
        bool vectors = Elementwise.Aligned(gy, gtable) && width % TFormat.Lanes == 0;
        int tile = Warp.Size * (vectors ? TFormat.Lanes : 1), tiles = (width + tile - 1) / tile;
        const int warps = EmbeddingKernels.Threads / Warp.Size;
        ReadOnlyView<TWord> source = new((TWord*)gy, count * width);
        View<float> target = new((float*)gtable, size);
        FastDivisor divisor = new(tiles);
        accelerator.Launch(
            ScatterKernel<TWord, TFormat>.Instance, new LaunchShape(checked((places * tiles) + warps - 1) / warps, EmbeddingKernels.Threads),
            order.Ids, order.Positions, places, source, target, rows, width, divisor, vectors, accumulate);
        if (places <= EmbeddingKernels.Long)
        {
            return;
        }

        int chunks = (places + EmbeddingKernels.Long - 1) / EmbeddingKernels.Long;
        using DeviceBuffer<float> partials = accelerator.Allocate<float>((long)chunks * width, "partial sums of an embedding's gradient");
        accelerator.Launch(
            SumChunksKernel<TWord, TFormat>.Instance, new LaunchShape(((chunks * tiles) + warps - 1) / warps, EmbeddingKernels.Threads),
            order.Ids, order.Positions, places, source, partials.View, rows, width, divisor, vectors);
        accelerator.Launch(
            ScatterLongKernel<TWord, TFormat>.Instance, new LaunchShape(chunks * tiles, EmbeddingKernels.Threads),
            order.Ids, order.Positions, places, source, partials.ReadOnly, target, rows, width, divisor, vectors, accumulate);
    }

    private static class GatherKernel<TWord, TNothing>
        where TWord : unmanaged
        where TNothing : struct, INothing<TWord>
    {
        public static readonly Kernel Instance = Kernel.Of(EmbeddingKernels.Gather<TWord, TNothing>);
    }

    private static class ScatterKernel<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Instance = Kernel.Of(EmbeddingKernels.Scatter<TWord, TFormat>);
    }

    private static class SumChunksKernel<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Instance = Kernel.Of(EmbeddingKernels.SumChunks<TWord, TFormat>);
    }

    private static class ScatterLongKernel<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Instance = Kernel.Of(EmbeddingKernels.ScatterLong<TWord, TFormat>);
    }
}
