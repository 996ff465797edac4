using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Products of warpgroups over tiles of heads in shared memory, boxes of 64 columns one after the other, and what goes with them. All integers are known to the compiler.</summary>
internal static class WarpgroupTiles
{
    /// <summary>Rows of a warp's share of a product.</summary>
    public const int WarpRows = 16;

    /// <summary>Rows of a warpgroup's share.</summary>
    public const int WarpgroupRows = 64;

    /// <summary>Threads of a warpgroup.</summary>
    public const int WarpgroupThreads = 128;

    /// <summary>Steps of 16 within a box.</summary>
    private const int BoxSteps = WarpgroupRing.BoxColumns / 16;

    /// <summary>Which of the group's warpgroups a thread belongs to. Of lane 0, so that the assembler knows it to be the same on all lanes.</summary>
    public static int Warpgroup() => Warp.Shuffle(Group.Thread / WarpgroupThreads, 0);

    /// <summary>Starts sums = a bᵀ over the columns of both.</summary>
    /// <param name="a">The warpgroup's 64 rows of a tile of <paramref name="aRows"/>, along k.</param>
    /// <param name="b">A tile of <paramref name="bRows"/> rows, along k.</param>
    public static void RowsByRows<TOperand, TN>(ref Registers<float, TN> sums, WgmmaOperand a, WgmmaOperand b, int boxes, int aRows, int bRows)
        where TOperand : struct, IWarpgroupOperand
        where TN : struct, ICount
    {
        for (int box = 0; box < boxes; box++)
        {
            for (int k = 0; k < BoxSteps; k++)
            {
                TOperand.Multiply(
                    ref sums, a.At(box * aRows * WarpgroupRing.BoxRowBytes).Step(k), b.At(box * bRows * WarpgroupRing.BoxRowBytes).Step(k), box + k > 0);
            }
        }
    }

    /// <summary>Starts sums += a b with a in registers.</summary>
    /// <param name="b">A tile of 2 · TN rows, across k.</param>
    public static void RegistersByColumns<TOperand, TN, TD>(ref Registers<float, TD> sums, ref Registers<UInt4, Eighth<TN>> a, WgmmaOperand b)
        where TOperand : struct, IWarpgroupOperand
        where TN : struct, ICount
        where TD : struct, ICount
    {
        for (int k = 0; k < TN.Value / 8; k++)
        {
            TOperand.Multiply(ref sums, a[k], b.Step(k));
        }
    }

    /// <summary>Starts copying rows of a head. By one thread.</summary>
    /// <param name="map">Of columns, heads, rows, samples.</param>
    public static void Load(Shared<byte> tile, in TensorMap map, int boxes, int rows, int head, int row, int sample, Mbarrier arrived)
    {
        for (int b = 0; b < boxes; b++)
        {
            Loop.Unroll();
            Tma.Load4D(tile.From(b * rows * WarpgroupRing.BoxRowBytes), map, b * WarpgroupRing.BoxColumns, head, row, sample, arrived);
        }
    }

    /// <summary>The dropout bits of the warp's own queries, so that no other warp has to be waited for.</summary>
    public static void MakeBits(Shared<UInt2> bits, int keys, int batchHead, int warpQuery, int firstKey, AttentionSizes sizes, ulong stream)
    {
        Warp.Barrier();
        DropoutBits.Make(bits, WarpRows, keys / 64, batchHead, warpQuery, firstKey, sizes, stream, 0, 1);
        Warp.Barrier();
    }
}
