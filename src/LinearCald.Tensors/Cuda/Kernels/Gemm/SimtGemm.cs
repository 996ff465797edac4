using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>C = f(alpha · op(A) op(B) + bias + C) in float32 on the FMA units; every product and sum is a fused multiply-add, in the order of k.</summary>
/// <remarks>
/// <para>A group computes one block of C in steps of 16 k, a thread 8 × 8 results. Both operands lie in shared memory as [k][along], so that fragments are read four at a time:
/// rows stored along C are copied as they are, rows stored along k are turned by four-byte asynchronous copies (<see cref="TransposingCopy"/>).</para>
/// <para>A warp is 4 × 8 threads. A 16-byte read of a warp is served in halves, each as one access if neighbours by 1 or by 2 lanes share addresses: so lane bit 0 moves
/// only the column and lane bit 1 only the row. Then 64 FMA cost four reads of two accesses, half of what shared memory could deliver in that time.</para>
/// <para>Floor: 2·M·N·K operations at 128 FMA a cycle and multiprocessor, 67 TFLOP/s on an H100 at its highest clock.</para>
/// </remarks>
internal static class SimtGemm
{
    /// <summary>Elements of k in one block.</summary>
    public const int Depth = 16;

    /// <summary>Rows of a warp's part.</summary>
    public const int WarpRows = 32;

    /// <summary>Columns of a warp's part.</summary>
    public const int WarpColumns = 64;

    /// <summary>Floats that a shared row is longer than its data: rows are then 4 banks (16 bytes) apart modulo 32.</summary>
    private const int Padding = 4;

    /// <summary>Grid: blocks of C along x, parts of k along y, stack along z.</summary>
    [Kernel(Name = "gemm_simt", MinimumGroups = 2)]
    public static void Run<TWord, TFormat>(GemmArguments<TWord> arguments, [Constant] GemmVariant variant)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        GemmTile tile = variant.Tile;
        int pitchA = tile.M + Padding;
        int pitchB = tile.N + Padding;
        int floatsA = Depth * pitchA;
        int stage = floatsA + (Depth * pitchB);
        int ring = stage * tile.Stages;
        Shared<float> memory = Shared.Allocate<float>(ring);

        TileOrder block = new(Grid.IndexX, arguments.TilesM, arguments.TilesN);
        int firstRow = block.Row * tile.M;
        int firstColumn = block.Column * tile.N;
        int firstK = Grid.IndexY * arguments.PartK;
        int length = Math.Max(0, Math.Min(arguments.K - firstK, arguments.PartK));
        BlockCopy copyA = BlockCopy.Begin(
            !variant.TransposeA, variant.WidthA, tile.M, tile.Threads, arguments.A.From(arguments.Start(variant.Output.Nested, arguments.StrideA, arguments.InnerStrideA)), arguments.LeadingA, arguments.M, firstRow, firstK);
        BlockCopy copyB = BlockCopy.Begin(
            variant.TransposeB, variant.WidthB, tile.N, tile.Threads, arguments.B.From(arguments.Start(variant.Output.Nested, arguments.StrideB, arguments.InnerStrideB)), arguments.LeadingB, arguments.N, firstColumn, firstK);

        int left = length;
        for (int s = 0; s < tile.Stages - 1; s++)
        {
            Loop.Unroll();
            copyA.Start(!variant.TransposeA, variant.WidthA, tile.M, tile.Threads, memory.From(s * stage), left);
            copyB.Start(variant.TransposeB, variant.WidthB, tile.N, tile.Threads, memory.From((s * stage) + floatsA), left);
            AsyncCopy.Commit();
            left -= Depth;
        }

        int warpRow = (int)((uint)Warp.Index / (uint)tile.WarpsN) * WarpRows;
        int warpColumn = (Warp.Index & (tile.WarpsN - 1)) * WarpColumns;
        int lane = Warp.Lane;
        int row = warpRow + ((((lane >> 1) & 1) | ((lane >> 3) & 2)) * 4);
        int column = warpColumn + (((lane & 1) | ((lane >> 1) & 6)) * 4);

        Registers<float, N64> sums = default;
        sums.Fill(0);
        int blocks = (int)((uint)(length + Depth - 1) / Depth);
        int read = 0;
        int write = (tile.Stages - 1) * stage;
        for (int k = 0; k < blocks; k++)
        {
            Loop.Keep();

            // This block has arrived for everyone, and everyone is done with the one before, which is now overwritten.
            AsyncCopy.Wait(tile.Stages - 2);
            Group.Barrier();
            if (left > 0)
            {
                copyA.Start(!variant.TransposeA, variant.WidthA, tile.M, tile.Threads, memory.From(write), left);
                copyB.Start(variant.TransposeB, variant.WidthB, tile.N, tile.Threads, memory.From(write + floatsA), left);
            }

            AsyncCopy.Commit();
            left -= Depth;
            write = write + stage == ring ? 0 : write + stage;
            Multiply(memory.From(read + row).As<Float4>(), memory.From(read + floatsA + column).As<Float4>(), pitchA / 4, pitchB / 4, ref sums);
            read = read + stage == ring ? 0 : read + stage;
        }

        // Sums go out through shared memory, as many rows at a time as it holds.
        AsyncCopy.Wait(0);
        int rows = Math.Min(tile.M, ring / pitchB / WarpRows * WarpRows);
        for (int first = 0; first < tile.M; first += rows)
        {
            Loop.Unroll();
            Group.Barrier();
            if (warpRow >= first && warpRow < first + rows)
            {
                Stage(memory.From(((row - first) * pitchB) + column).As<Float4>(), pitchB / 4, sums);
            }

            Group.Barrier();
            GemmEpilogue.Write<TWord, TFormat>(arguments, variant, memory, pitchB, Math.Min(rows, tile.M - first), firstRow + first, firstColumn); // the rows below are another group's
        }
    }

    /// <summary>Shared memory of a group.</summary>
    public static int SharedBytes(GemmTile tile) => Depth * (tile.M + tile.N + (2 * Padding)) * tile.Stages * 4;

    // Fragments of the next k are read before the current ones are multiplied.
    private static void Multiply(Shared<Float4> rows, Shared<Float4> columns, int pitchA, int pitchB, ref Registers<float, N64> sums)
    {
        Registers<Float4, N4> a = default;
        Registers<Float4, N4> b = default;
        a[0] = rows[0];
        a[1] = rows[4];
        b[0] = columns[0];
        b[1] = columns[8];
        for (int k = 0; k < Depth; k++)
        {
            Loop.Unroll();
            int set = (k & 1) * 2;
            if (k + 1 < Depth)
            {
                a[2 - set] = rows[(k + 1) * pitchA];
                a[3 - set] = rows[((k + 1) * pitchA) + 4];
                b[2 - set] = columns[(k + 1) * pitchB];
                b[3 - set] = columns[((k + 1) * pitchB) + 8];
            }

            for (int i = 0; i < 2; i++)
            {
                Loop.Unroll();
                Float4 x = a[set + i];
                Row(x.X, b[set], b[set + 1], (i * 4) + 0, ref sums);
                Row(x.Y, b[set], b[set + 1], (i * 4) + 1, ref sums);
                Row(x.Z, b[set], b[set + 1], (i * 4) + 2, ref sums);
                Row(x.W, b[set], b[set + 1], (i * 4) + 3, ref sums);
            }
        }
    }

    private static void Row(float x, Float4 left, Float4 right, int row, ref Registers<float, N64> sums)
    {
        int at = row * 8;
        sums[at] = GpuMath.Fma(x, left.X, sums[at]);
        sums[at + 1] = GpuMath.Fma(x, left.Y, sums[at + 1]);
        sums[at + 2] = GpuMath.Fma(x, left.Z, sums[at + 2]);
        sums[at + 3] = GpuMath.Fma(x, left.W, sums[at + 3]);
        sums[at + 4] = GpuMath.Fma(x, right.X, sums[at + 4]);
        sums[at + 5] = GpuMath.Fma(x, right.Y, sums[at + 5]);
        sums[at + 6] = GpuMath.Fma(x, right.Z, sums[at + 6]);
        sums[at + 7] = GpuMath.Fma(x, right.W, sums[at + 7]);
    }

    // Rows 0 … 3 and 16 … 19 from the thread's first, columns 0 … 3 and 32 … 35.
    private static void Stage(Shared<Float4> at, int pitch, Registers<float, N64> sums)
    {
        for (int i = 0; i < 8; i++)
        {
            Loop.Unroll();
            int row = ((i & 4) * 4) + (i & 3);
            int from = i * 8;
            at[row * pitch] = new Float4(sums[from], sums[from + 1], sums[from + 2], sums[from + 3]);
            at[(row * pitch) + 8] = new Float4(sums[from + 4], sums[from + 5], sums[from + 6], sums[from + 7]);
        }
    }

    /// <summary>Copies of one operand, whichever way its rows run.</summary>
    private struct BlockCopy
    {
        private OperandCopy _along;
        private TransposingCopy _turned;

        public static BlockCopy Begin(bool depthInner, int width, int tile, int threads, ReadOnlyView<byte> source, int leading, int extent, int first, int firstK)
        {
            BlockCopy copy = default;
            if (depthInner)
            {
                copy._turned = TransposingCopy.Begin(threads, source.As<float>(), leading, extent, first, firstK, tile + Padding);
            }
            else
            {
                copy._along = OperandCopy.Begin(Layout(width, tile, threads), source, leading, extent, first, firstK);
            }

            return copy;
        }

        public void Start(bool depthInner, int width, int tile, int threads, Shared<float> block, int left)
        {
            if (depthInner)
            {
                _turned.Start(threads, tile, Depth, tile + Padding, block, left);
                _turned.Advance(Depth);
            }
            else
            {
                _along.Start(Layout(width, tile, threads), block.As<byte>(), left);
                _along.Advance();
            }
        }

        private static OperandLayout Layout(int width, int tile, int threads) => new(false, width, 4, tile, Depth, (tile + Padding) * 4, ChunkSwizzle.None, threads);
    }
}
