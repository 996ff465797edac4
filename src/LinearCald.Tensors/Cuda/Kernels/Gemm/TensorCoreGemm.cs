using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// C = f(alpha · op(A) op(B) + bias + C) on the tensor cores through <c>mma.sync</c>: bfloat16, float16, or float32 rounded to tf32 or to two bfloat16 numbers; sums in float32.
/// </summary>
/// <remarks>
/// <para>A group computes one block of C. Blocks of 128 bytes of k (64 elements of two bytes, 32 of four) come in by <c>cp.async</c> as they lie in device memory,
/// <see cref="GemmTile.Stages"/> deep with one barrier a block; transposes are taken up by how fragments are read (<see cref="FragmentReader"/>), so all four cost the same.
/// A warp's part is up to 64 × 64: per 32-byte step of k eight fragment reads (4 KiB) feed 32 products, half of what
/// shared memory could deliver in that time. Fragments of the next step are read while the current one multiplies, across block borders too.</para>
/// <para>Floor: 2·M·N·K operations at the rate of <c>mma.sync</c>, 492 TFLOP/s for two-byte operands on an H100 and half of that for tf32. Bytes from the second-level cache: K·(1/M' + 1/N') a
/// result for blocks M' × N', which is why blocks of 128 × 256 beat 128 × 128 on large products.</para>
/// </remarks>
internal static class TensorCoreGemm
{
    /// <summary>Bytes of k in one block: as many as a row of shared memory has banks for.</summary>
    public const int DepthBytes = 128;

    /// <summary>Steps along k of a block, 32 bytes each.</summary>
    private const int Steps = DepthBytes / 32;

    /// <summary>Grid: blocks of C along x, parts of k along y, stack along z.</summary>
    [Kernel(Name = "gemm_tensor")]
    public static void Run<TOperand, TWord, TFormat>(GemmArguments<TWord> arguments, [Constant] GemmVariant variant)
        where TOperand : struct, IMatrixOperand
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        GemmTile tile = variant.Tile;
        int depth = DepthBytes / TOperand.ElementBytes;
        int bytesA = tile.M * DepthBytes;
        int stage = bytesA + (tile.N * DepthBytes);
        int ring = stage * tile.Stages;
        OperandLayout layoutA = Layout(!variant.TransposeA, variant.WidthA, TOperand.ElementBytes, tile.M, tile.Threads);
        OperandLayout layoutB = Layout(variant.TransposeB, variant.WidthB, TOperand.ElementBytes, tile.N, tile.Threads);
        Shared<byte> memory = Shared.Allocate<byte>(SharedBytes(tile), 128);

        TileOrder block = new(Grid.IndexX, arguments.TilesM, arguments.TilesN);
        int firstRow = block.Row * tile.M;
        int firstColumn = block.Column * tile.N;
        int firstK = Grid.IndexY * arguments.PartK;
        int length = Math.Max(0, Math.Min(arguments.K - firstK, arguments.PartK));
        OperandCopy copyA = OperandCopy.Begin(layoutA, arguments.A.From(arguments.Start(variant.Output.Nested, arguments.StrideA, arguments.InnerStrideA)), arguments.LeadingA, arguments.M, firstRow, firstK);
        OperandCopy copyB = OperandCopy.Begin(layoutB, arguments.B.From(arguments.Start(variant.Output.Nested, arguments.StrideB, arguments.InnerStrideB)), arguments.LeadingB, arguments.N, firstColumn, firstK);

        int warpRow = (int)((uint)Warp.Index / (uint)tile.WarpsN) * tile.WarpRows;
        int warpColumn = (Warp.Index & (tile.WarpsN - 1)) * tile.WarpColumns;
        FragmentReader readerA = FragmentReader.Begin(layoutA, true, warpRow);
        FragmentReader readerB = FragmentReader.Begin(layoutB, false, warpColumn);

        int left = length;
        for (int s = 0; s < tile.Stages - 1; s++)
        {
            Loop.Unroll();
            copyA.Start(layoutA, memory.From(s * stage), left);
            copyB.Start(layoutB, memory.From((s * stage) + bytesA), left);
            AsyncCopy.Commit();
            copyA.Advance();
            copyB.Advance();
            left -= depth;
        }

        int fragmentsA = tile.WarpRows / 16;
        int fragmentsB = tile.WarpColumns / 16;
        Registers<Float4, N32> sums = default;
        for (int i = 0; i < fragmentsA * fragmentsB * 2; i++)
        {
            Loop.Unroll();
            sums[i] = default;
        }

        // Two sets of fragments, of even and of odd steps.
        Registers<UInt4, N8> a = default;
        Registers<UInt4, N8> b = default;
        AsyncCopy.Wait(tile.Stages - 2);
        Group.Barrier();
        Read(layoutA, true, readerA, memory, 0, fragmentsA, ref a);
        Read(layoutB, false, readerB, memory.From(bytesA), 0, fragmentsB, ref b);

        int blocks = (int)((uint)(length + depth - 1) / (uint)depth);
        int read = 0;
        int write = (tile.Stages - 1) * stage;
        for (int k = 0; k < blocks; k++)
        {
            Loop.Keep();
            for (int step = 0; step < Steps; step++)
            {
                Loop.Unroll();
                if (step == Steps - 1)
                {
                    // The next block has arrived for everyone, and everyone has read all of this one: the next iteration may overwrite it.
                    AsyncCopy.Wait(tile.Stages - 2);
                    Group.Barrier();
                    read = read + stage == ring ? 0 : read + stage;
                }

                Read(layoutA, true, readerA, memory.From(read), step + 1, fragmentsA, ref a);
                Read(layoutB, false, readerB, memory.From(read + bytesA), step + 1, fragmentsB, ref b);
                if (step == 0)
                {
                    // One block past the end is cleared, since its fragments are read though never used.
                    if (left > -depth)
                    {
                        copyA.Start(layoutA, memory.From(write), left);
                        copyB.Start(layoutB, memory.From(write + bytesA), left);
                    }

                    AsyncCopy.Commit();
                    copyA.Advance();
                    copyB.Advance();
                    left -= depth;
                    write = write + stage == ring ? 0 : write + stage;
                }

                Multiply<TOperand>(step & 1, fragmentsA, fragmentsB, a, b, ref sums);
            }
        }

        AsyncCopy.Wait(0);
        Group.Barrier();
        Shared<float> staged = memory.As<float>();
        Stage(staged.From((warpRow * Pitch(tile)) + warpColumn), Pitch(tile), fragmentsA, fragmentsB, sums);
        Group.Barrier();
        GemmEpilogue.Write<TWord, TFormat>(arguments, variant, staged, Pitch(tile), tile.M, firstRow, firstColumn);
    }

    /// <summary>Shared memory of a group: the ring of stages, or the staged sums if they need more.</summary>
    public static int SharedBytes(GemmTile tile) => Math.Max((tile.M + tile.N) * DepthBytes * tile.Stages, tile.M * Pitch(tile) * 4);

    /// <summary>Floats from row to row of the staged sums: eight banks on, so that four rows × four lanes of 8 bytes touch all banks.</summary>
    private static int Pitch(GemmTile tile) => tile.N + 8;

    private static OperandLayout Layout(bool depthInner, int width, int elementBytes, int extent, int threads) => new(
        depthInner,
        width,
        elementBytes,
        extent,
        DepthBytes / elementBytes,
        depthInner ? DepthBytes : extent * elementBytes,
        depthInner || elementBytes == 2 ? ChunkSwizzle.EightRows : ChunkSwizzle.FourRows,
        threads);

    // Fragments of one step, the first of the next block after the last, into the set of the step's parity.
    private static void Read(OperandLayout layout, bool alongFirst, FragmentReader reader, Shared<byte> block, int step, int count, ref Registers<UInt4, N8> set)
    {
        for (int i = 0; i < count; i++)
        {
            Loop.Unroll();
            set[((step & 1) * 4) + i] = reader.Read(layout, alongFirst, block, step % Steps, i);
        }
    }

    private static void Multiply<TOperand>(int parity, int countA, int countB, Registers<UInt4, N8> a, Registers<UInt4, N8> b, ref Registers<Float4, N32> sums)
        where TOperand : struct, IMatrixOperand
    {
        for (int j = 0; j < countB; j++)
        {
            Loop.Unroll();
            b[(parity * 4) + j] = TOperand.Columns(b[(parity * 4) + j]);
        }

        for (int i = 0; i < countA; i++)
        {
            Loop.Unroll();
            UInt4 rows = TOperand.Rows(a[(parity * 4) + i]);
            for (int j = 0; j < countB; j++)
            {
                Loop.Unroll();
                UInt4 columns = b[(parity * 4) + j];
                int at = ((i * countB) + j) * 2;
                sums[at] = TOperand.Multiply(sums[at], rows, new UInt2(columns.X, columns.Y));
                sums[at + 1] = TOperand.Multiply(sums[at + 1], rows, new UInt2(columns.Z, columns.W));
            }
        }
    }

    // A lane holds of each 16 × 8 block the rows lane / 4 and 8 below, columns 2 (lane mod 4) and the next.
    private static void Stage(Shared<float> staged, int pitch, int countA, int countB, Registers<Float4, N32> sums)
    {
        Shared<Float2> at = staged.From(((Warp.Lane >> 2) * pitch) + ((Warp.Lane & 3) * 2)).As<Float2>();
        for (int i = 0; i < countA; i++)
        {
            Loop.Unroll();
            for (int j = 0; j < countB * 2; j++)
            {
                Loop.Unroll();
                Float4 sum = sums[(i * countB * 2) + j];
                int offset = (i * 16 * pitch / 2) + (j * 4);
                at[offset] = new Float2(sum.X, sum.Y);
                at[offset + (4 * pitch)] = new Float2(sum.Z, sum.W);
            }
        }
    }
}
