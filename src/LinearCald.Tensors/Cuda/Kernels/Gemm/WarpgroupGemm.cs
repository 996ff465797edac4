using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// C = f(alpha · op(A) op(B) + bias + C) for operands of two bytes, of two bfloat16 terms, or of tf32 stored along k, on Hopper: blocks come by TMA, warpgroups multiply them where they lie
/// (<c>wgmma</c>), sums in float32.
/// </summary>
/// <remarks>
/// <para>There are as many groups as multiprocessors, and each computes block after block of C (<see cref="WarpgroupItem"/>) with two warpgroups, 64 rows each, and one warp more,
/// of which one thread brings the blocks of A and B: 128 bytes of k a stage, in a ring of stages with two barriers each. <c>full</c> counts the bytes that have come;
/// <c>empty</c> counts the eight multiplying warps that are done with a stage, which they are when the products of the stage after it have started. The ring goes on from one block of C
/// to the next, so that what the next one needs is on its way while results are written. Blocks lie in shared memory as they do in device memory, chunks of 16 bytes permuted
/// within 128; a transposed operand comes as boxes of 64 rows instead, and its descriptor says so, so all four forms cost nearly the same. TMA fills what lies
/// outside of a matrix with zeros.</para>
/// <para>Floor: 2·M·N·K operations at 989 TFLOP/s on an H100. Shared memory reads of a 64 × N × 16 product: 2 KiB + 32·N bytes in N/2 cycles, below the 128 bytes a cycle that there
/// are for N above 64. Bytes from the second-level cache a multiprocessor and cycle at full rate: 48 for blocks of 128 × 256, 53 for 128 × 192, 64 for 128 × 128. Groups have
/// nine warps, so one of the four schedulers and its 16,384 registers has three of them: 168 registers a thread. That holds the 128 sums of blocks of 256 columns without
/// <c>setmaxnreg</c>; where more happens to the results of such blocks, as old values added, the assembler keeps up to a hundred bytes a thread in local memory, once a block of C.</para>
/// </remarks>
internal static class WarpgroupGemm
{
    /// <summary>Bytes of k in one block.</summary>
    public const int DepthBytes = 128;

    /// <summary>Elements of k, and of M or N, in a box of a transposed operand, whose elements have two bytes.</summary>
    public const int BoxExtent = DepthBytes / 2;

    /// <summary>Threads that multiply; a warp more brings the blocks.</summary>
    public const int Consumers = 256;

    /// <summary>Threads of a group.</summary>
    public const int Threads = Consumers + Warp.Size;

    /// <summary>Rows of C of one warpgroup.</summary>
    private const int Rows = 64;
    private const int BoxBytes = Rows * DepthBytes;

    /// <summary>Products of 32 bytes of k in one block.</summary>
    private const int Steps = DepthBytes / 32;
    private const int WarpgroupThreads = 128;
    private const int WarpRows = 16;

    /// <summary>Grid: groups along x, at most as many as there are items.</summary>
    /// <typeparam name="TOperand">Type of A and B.</typeparam>
    /// <typeparam name="TCount">Half the block's columns: sums of a thread.</typeparam>
    /// <typeparam name="TWord">Word of an element of C.</typeparam>
    /// <typeparam name="TFormat">What the word means.</typeparam>
    [Kernel(Name = "gemm_warpgroup")]
    public static void Run<TOperand, TCount, TWord, TFormat>(TensorMap mapA, TensorMap mapB, GemmArguments<TWord> arguments, [Constant] GemmVariant variant)
        where TOperand : struct, IWarpgroupElement
        where TCount : struct, ICount
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        GemmTile tile = variant.Tile;
        Shared<byte> ring = Shared.Allocate<byte>(RingBytes(tile), 1024);
        Shared<float> staged = Shared.Allocate<float>(Consumers / Warp.Size * WarpgroupEpilogue.WarpFloats, 16);
        Mbarrier full = Mbarrier.Allocate(tile.Stages);
        Mbarrier empty = Mbarrier.Allocate(tile.Stages);
        if (Group.Thread == 0)
        {
            for (int s = 0; s < tile.Stages; s++)
            {
                Loop.Unroll();
                full.At(s).Init(1);
                empty.At(s).Init(Consumers / Warp.Size);
            }

            Mbarrier.FenceInit();
            Tma.Prefetch(mapA);
            Tma.Prefetch(mapB);
        }

        Group.Barrier();
        int depth = DepthBytes / TOperand.ElementBytes;
        int items = arguments.TilesM * arguments.TilesN * arguments.Parts * (variant.Output.Stacked ? arguments.Products : 1);
        if (Group.Thread < Consumers)
        {
            // Of lane 0, so that the assembler knows it to be the same on all lanes.
            int warpgroup = Warp.Shuffle(Group.Thread / WarpgroupThreads, 0);
            Shared<byte> left = ring.From(warpgroup * BoxBytes);
            Shared<byte> right = ring.From(tile.M * DepthBytes);
            WgmmaOperand a = variant.TransposeA ? WgmmaOperand.AcrossK(left, BoxExtent) : WgmmaOperand.AlongK(left);
            WgmmaOperand b = variant.TransposeB ? WgmmaOperand.AlongK(right) : WgmmaOperand.AcrossK(right, BoxExtent);
            int row = (warpgroup * Rows) + ((Warp.Index & 3) * WarpRows);
            Shared<float> own = staged.From(Warp.Index * WarpgroupEpilogue.WarpFloats);
            RingPosition position = default;
            for (int item = Grid.IndexX; item < items; item += Grid.SizeX)
            {
                Loop.Keep();
                WarpgroupItem work = WarpgroupItem.Of(item, arguments, variant, depth);
                Registers<float, TCount> sums = default;
                Multiply<TOperand, TCount>(variant, full, empty, work.Blocks, a, b, ref position, ref sums);
                WarpgroupEpilogue.Write<TWord, TFormat, TCount>(arguments, variant.Output, own, work.Start, work.FirstRow + row, work.FirstColumn, sums);
            }
        }
        else if (Group.Thread == Consumers)
        {
            RingPosition position = default;
            for (int item = Grid.IndexX; item < items; item += Grid.SizeX)
            {
                Loop.Keep();
                Bring(variant, depth, mapA, mapB, ring, full, empty, WarpgroupItem.Of(item, arguments, variant, depth), arguments.StrideA != 0, arguments.StrideB != 0, ref position);
            }
        }
    }

    /// <summary>Shared memory of a group: the ring of stages, a piece for each multiplying warp's results, the barriers.</summary>
    public static int SharedBytes(GemmTile tile) =>
        RingBytes(tile) + (Consumers / Warp.Size * WarpgroupEpilogue.WarpFloats * sizeof(float)) + (2 * tile.Stages * sizeof(ulong));

    private static int RingBytes(GemmTile tile) => StageBytes(tile) * tile.Stages;

    private static int StageBytes(GemmTile tile) => (tile.M + tile.N) * DepthBytes;

    // One thread.
    private static void Bring(
        GemmVariant variant, int depth, in TensorMap mapA, in TensorMap mapB, Shared<byte> ring, Mbarrier full, Mbarrier empty, WarpgroupItem work, bool hasManyA,
        bool hasManyB, ref RingPosition position)
    {
        GemmTile tile = variant.Tile;
        int firstK = work.FirstK, productA = hasManyA ? work.Product : 0, productB = hasManyB ? work.Product : 0;
        for (int k = 0; k < work.Blocks; k++)
        {
            Loop.Keep();

            // On a fresh barrier the phase before the first one is over: the first lap waits for nobody.
            empty.At(position.Stage).Wait(position.Parity ^ 1);
            Mbarrier arrived = full.At(position.Stage);
            arrived.ArriveExpect(StageBytes(tile));
            Shared<byte> a = ring.From(position.Stage * StageBytes(tile));
            Load(a, mapA, variant.TransposeA, variant.Output.Stacked, tile.M, work.FirstRow, firstK, productA, arrived);
            Load(a.From(tile.M * DepthBytes), mapB, !variant.TransposeB, variant.Output.Stacked, tile.N, work.FirstColumn, firstK, productB, arrived);
            firstK += depth;
            position.Advance(tile.Stages);
        }
    }

    private static void Load(Shared<byte> block, in TensorMap map, bool isTransposed, bool isStacked, int extent, int first, int firstK, int product, Mbarrier barrier)
    {
        if (!isTransposed)
        {
            Load(block, map, isStacked, firstK, first, product, barrier);
            return;
        }

        for (int i = 0; i < extent / BoxExtent; i++)
        {
            Loop.Unroll();
            Load(block.From(i * BoxBytes), map, isStacked, first + (i * BoxExtent), firstK, product, barrier);
        }
    }

    private static void Load(Shared<byte> box, in TensorMap map, bool isStacked, int x, int y, int product, Mbarrier barrier)
    {
        if (isStacked)
        {
            Tma.Load3D(box, map, x, y, product, barrier);
        }
        else
        {
            Tma.Load2D(box, map, x, y, barrier);
        }
    }

    // The sums of at least one block of k.
    private static void Multiply<TOperand, TCount>(
        GemmVariant variant, Mbarrier full, Mbarrier empty, int blocks, WgmmaOperand a, WgmmaOperand b, ref RingPosition position, ref Registers<float, TCount> sums)
        where TOperand : struct, IWarpgroupElement
        where TCount : struct, ICount
    {
        GemmTile tile = variant.Tile;
        sums.Fill(0);
        int previous = 0;
        for (int k = 0; k < blocks; k++)
        {
            Loop.Keep();
            full.At(position.Stage).Wait(position.Parity);
            Wgmma.Fence();
            for (int product = 0; product < (variant.Output.TwoTerms ? 2 * Steps : Steps); product++)
            {
                Loop.Unroll();
                int left = product, right = product;
                if (variant.Output.TwoTerms)
                {
                    // Low terms of both, of A, of B, and none: steps 2 and 3 of a block are of the low terms.
                    left = (product & 1) + (product < Steps ? 2 : 0);
                    right = (product & 1) + ((product & 2) == 0 ? 2 : 0);
                }

                TOperand.Multiply(ref sums, a.At(position.Stage * StageBytes(tile)).Step(left), b.At(position.Stage * StageBytes(tile)).Step(right));
            }

            Wgmma.Commit();

            // The products of this block run on; those of the block before are over.
            Wgmma.Wait(1);
            if (k > 0 && Warp.Lane == 0)
            {
                empty.At(previous).Arrive();
            }

            previous = position.Stage;
            position.Advance(tile.Stages);
        }

        Wgmma.Wait(0);
        if (Warp.Lane == 0)
        {
            empty.At(previous).Arrive();
        }
    }

    /// <summary>A stage of the ring, and the parity of the lap.</summary>
    private struct RingPosition
    {
        public int Stage;
        public int Parity;

        public void Advance(int stages)
        {
            Stage++;
            if (Stage == stages)
            {
                Stage = 0;
                Parity ^= 1;
            }
        }
    }
}
