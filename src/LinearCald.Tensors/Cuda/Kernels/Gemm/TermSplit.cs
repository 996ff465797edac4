using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Copies operands of float32 as the sum of two bfloat16 terms for <see cref="WarpgroupGemm"/>: along k, 32 high terms (the numbers rounded), then their 32 low ones (what is left, rounded), then
/// the next 32. A box of 64 along k then holds all that its four products of terms take.
/// </summary>
internal static unsafe class TermSplit
{
    /// <summary>Terms of one kind that lie together along k.</summary>
    public const int Run = 32;

    private const int Threads = 256;
    private const int InFlight = 4;
    private static readonly Kernel s_kernel = Kernel.Of(Split);

    /// <summary>
    /// Copies all elements from the first to the last, those between rows and between products too, into device memory that the caller frees. The last run is filled up with zeros.
    /// </summary>
    /// <param name="accelerator">The device.</param>
    /// <param name="source">First element, at a multiple of 16 bytes.</param>
    /// <param name="elements">A multiple of four.</param>
    /// <param name="unit">Elements from one k to the next: 1, or the length of a row.</param>
    public static nint Copy(Accelerator accelerator, nint source, long elements, int unit)
    {
        int block = Run * unit, quads = checked((int)(elements / 4));
        long room = (elements + block - 1) / block * block;
        int all = checked((int)(room / 4));
        nint copy = accelerator.Allocate(2 * room * sizeof(ushort), "the terms of an operand");
        int groups = (int)(((long)all + (Threads * InFlight) - 1) / (Threads * InFlight));
        accelerator.Launch(
            s_kernel, new LaunchShape(groups, Threads), new ReadOnlyView<Float4>((Float4*)source, quads), new View<UInt2>((UInt2*)copy, room / 2), quads, all, new FastDivisor(block / 4));
        return copy;
    }

    /// <summary>Grid: quads along x.</summary>
    /// <param name="quads">Of the operand.</param>
    /// <param name="all">Of whole runs.</param>
    /// <param name="block">Quads of a run.</param>
    [Kernel(Name = "gemm_split_terms")]
    public static void Split(ReadOnlyView<Float4> x, View<UInt2> y, int quads, int all, FastDivisor block)
    {
        int first = (Grid.IndexX * (Threads * InFlight)) + Group.Thread;
        Registers<Float4, N4> values = default;
        for (int i = 0; i < InFlight; i++)
        {
            Loop.Unroll();
            if (first + (i * Threads) < quads)
            {
                values[i] = x[first + (i * Threads)];
            }
            else
            {
                values[i] = default;
            }
        }

        for (int i = 0; i < InFlight; i++)
        {
            Loop.Unroll();
            int quad = first + (i * Threads);
            if (quad < all)
            {
                Float4 value = values[i];
                UInt2 high = new(Packed.BFloat16(value.X, value.Y), Packed.BFloat16(value.Z, value.W));
                long to = quad + ((long)block.Divide(quad) * block.Divisor);
                y[to] = high;
                y[to + block.Divisor] = new UInt2(
                    Packed.BFloat16(value.X - Packed.LowBFloat16(high.X), value.Y - Packed.HighBFloat16(high.X)),
                    Packed.BFloat16(value.Z - Packed.LowBFloat16(high.Y), value.W - Packed.HighBFloat16(high.Y)));
            }
        }
    }
}
