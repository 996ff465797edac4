using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// C = f(alpha · op(A) op(B) + bias + C) for two-byte operands on Hopper: blocks come by TMA, warpgroups multiply them where they lie (<c>wgmma</c>), sums in float32.
/// </summary>
/// <remarks>
/// <para>A group computes one block of C with two warpgroups, 64 rows each, and one warp more, of which one thread brings the blocks: 128 bytes of k of A and B a stage, in a
/// ring of stages with two barriers each. <c>full</c> counts the bytes that have come; <c>empty</c> counts the eight multiplying warps that are done with a stage, which they are
/// when the products of the stage after it have started. Blocks lie in shared memory as they do in device memory, chunks of 16 bytes permuted within 128; a transposed
/// operand comes as boxes of 64 rows instead, and its descriptor says so, so all four forms cost the same. TMA fills what lies outside of a matrix with zeros.</para>
/// <para>Floor: 2·M·N·K operations at 989 TFLOP/s on an H100. Shared memory reads of a 64 × N × 16 product: 2 KiB + 32·N bytes in N/2 cycles, below the 128 bytes a cycle that there
/// are for N above 64.</para>
/// </remarks>
internal static class WarpgroupGemm
{
    /// <summary>Elements of k in one block: 128 bytes.</summary>
    public const int Depth = 64;

    /// <summary>Threads that multiply; a warp more brings the blocks.</summary>
    public const int Consumers = 256;

    /// <summary>Threads of a group.</summary>
    public const int Threads = Consumers + Warp.Size;

    /// <summary>Rows of C of one warpgroup, and rows or columns of a box of a transposed operand.</summary>
    private const int Rows = 64;
    private const int RowBytes = Depth * 2;
    private const int BoxBytes = Rows * RowBytes;
    private const int Steps = Depth / 16;
    private const int WarpgroupThreads = 128;

    /// <summary>Grid: blocks of C along x, parts of k along y.</summary>
    /// <typeparam name="TOperand">Type of A and B.</typeparam>
    /// <typeparam name="TCount">Half the block's columns: sums of a thread.</typeparam>
    /// <typeparam name="TWord">Word of an element of C.</typeparam>
    /// <typeparam name="TFormat">What the word means.</typeparam>
    [Kernel(Name = "gemm_warpgroup")]
    public static void Run<TOperand, TCount, TWord, TFormat>(TensorMap mapA, TensorMap mapB, GemmArguments<TWord> arguments, [Constant] GemmVariant variant)
        where TOperand : struct, IWarpgroupOperand
        where TCount : struct, ICount
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        GemmTile tile = variant.Tile;
        Shared<byte> memory = Shared.Allocate<byte>(SharedBytes(tile), 1024);
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
        TileOrder block = new(Grid.IndexX, arguments.TilesM, arguments.TilesN);
        int firstRow = block.Row * tile.M;
        int firstColumn = block.Column * tile.N;
        int firstK = Grid.IndexY * arguments.PartK;
        int length = Math.Max(0, Math.Min(arguments.K - firstK, arguments.PartK));
        int blocks = (int)((uint)(length + Depth - 1) / Depth);
        if (Group.Thread < Consumers)
        {
            // Of lane 0, so that the assembler knows it to be the same on all lanes.
            int warpgroup = Warp.Shuffle(Group.Thread / WarpgroupThreads, 0);
            Registers<float, TCount> sums = default;
            Multiply<TOperand, TCount>(variant, memory, full, empty, blocks, warpgroup, ref sums);

            // Nobody reads the ring any more: the sums go there.
            Group.Barrier(1, Consumers);
            Shared<float> staged = memory.As<float>();
            Stage(staged, Pitch(tile), warpgroup, sums);
            Group.Barrier(1, Consumers);
            GemmEpilogue.Write<TWord, TFormat>(arguments, variant, staged, Pitch(tile), tile.M, firstRow, firstColumn);
        }
        else if (Group.Thread == Consumers)
        {
            Bring(variant, mapA, mapB, memory, full, empty, blocks, firstRow, firstColumn, firstK);
        }
    }

    /// <summary>Shared memory of a group without its barriers: the ring of stages, or the staged sums if they need more.</summary>
    public static int SharedBytes(GemmTile tile) => Math.Max(StageBytes(tile) * tile.Stages, tile.M * Pitch(tile) * sizeof(float));

    private static int StageBytes(GemmTile tile) => (tile.M + tile.N) * RowBytes;

    /// <summary>Floats from row to row of the staged sums: eight banks on, so that four rows × four lanes of 8 bytes touch all banks.</summary>
    private static int Pitch(GemmTile tile) => tile.N + 8;

    // One thread.
    private static void Bring(
        GemmVariant variant, in TensorMap mapA, in TensorMap mapB, Shared<byte> memory, Mbarrier full, Mbarrier empty, int blocks, int firstRow, int firstColumn, int firstK)
    {
        GemmTile tile = variant.Tile;
        int stage = 0;
        int parity = 1;
        for (int k = 0; k < blocks; k++)
        {
            Loop.Keep();
            empty.At(stage).Wait(parity);
            full.At(stage).ArriveExpect(StageBytes(tile));
            Shared<byte> a = memory.From(stage * StageBytes(tile));
            Load(a, mapA, variant.TransposeA, tile.M, firstRow, firstK, full.At(stage));
            Load(a.From(tile.M * RowBytes), mapB, !variant.TransposeB, tile.N, firstColumn, firstK, full.At(stage));
            firstK += Depth;
            stage++;
            if (stage == tile.Stages)
            {
                stage = 0;
                parity ^= 1;
            }
        }
    }

    private static void Load(Shared<byte> block, in TensorMap map, bool isTransposed, int extent, int first, int firstK, Mbarrier barrier)
    {
        if (!isTransposed)
        {
            Tma.Load2D(block, map, firstK, first, barrier);
            return;
        }

        for (int i = 0; i < extent / Rows; i++)
        {
            Loop.Unroll();
            Tma.Load2D(block.From(i * BoxBytes), map, first + (i * Rows), firstK, barrier);
        }
    }

    private static void Multiply<TOperand, TCount>(
        GemmVariant variant, Shared<byte> memory, Mbarrier full, Mbarrier empty, int blocks, int warpgroup, ref Registers<float, TCount> sums)
        where TOperand : struct, IWarpgroupOperand
        where TCount : struct, ICount
    {
        GemmTile tile = variant.Tile;
        Shared<byte> left = memory.From(warpgroup * BoxBytes);
        Shared<byte> right = memory.From(tile.M * RowBytes);
        WgmmaOperand a = variant.TransposeA ? WgmmaOperand.AcrossK(left, Depth) : WgmmaOperand.AlongK(left);
        WgmmaOperand b = variant.TransposeB ? WgmmaOperand.AlongK(right) : WgmmaOperand.AcrossK(right, Depth);
        sums.Fill(0);
        int stage = 0;
        int previous = 0;
        int parity = 0;
        for (int k = 0; k < blocks; k++)
        {
            Loop.Keep();
            full.At(stage).Wait(parity);
            Wgmma.Fence();
            for (int step = 0; step < Steps; step++)
            {
                Loop.Unroll();
                TOperand.Multiply(ref sums, a.At(stage * StageBytes(tile)).Step(step), b.At(stage * StageBytes(tile)).Step(step));
            }

            Wgmma.Commit();

            // The products of this block run on; those of the block before are over.
            Wgmma.Wait(1);
            if (k > 0 && Warp.Lane == 0)
            {
                empty.At(previous).Arrive();
            }

            previous = stage;
            stage++;
            if (stage == tile.Stages)
            {
                stage = 0;
                parity ^= 1;
            }
        }

        Wgmma.Wait(0);
    }

    // A thread holds of its warp's 16 rows lane / 4 and 8 below, of every eight columns 2 (lane mod 4) and the next.
    private static void Stage<TCount>(Shared<float> staged, int pitch, int warpgroup, Registers<float, TCount> sums)
        where TCount : struct, ICount
    {
        int row = (warpgroup * Rows) + ((Warp.Index & 3) * 16) + (Warp.Lane >> 2);
        Shared<Float2> at = staged.From((row * pitch) + ((Warp.Lane & 3) * 2)).As<Float2>();
        for (int i = 0; i < TCount.Value / 4; i++)
        {
            Loop.Unroll();
            at[i * 4] = new Float2(sums[i * 4], sums[(i * 4) + 1]);
            at[(i * 4) + (4 * pitch)] = new Float2(sums[(i * 4) + 2], sums[(i * 4) + 3]);
        }
    }
}
