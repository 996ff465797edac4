using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// What happens to the sums of <see cref="WarpgroupGemm"/>: each warp passes its 16 rows through shared memory of its own, 32 columns at a time, so that whole sectors are
/// written, no other warp is waited for, and the ring of operands stays free for the next block of C.
/// </summary>
internal static class WarpgroupEpilogue
{
    /// <summary>Shared memory of a warp.</summary>
    public const int WarpFloats = Rows * Pitch;

    private const int Rows = 16;
    private const int Columns = 32;

    /// <summary>Eight banks on from row to row: four rows × four lanes of 8 bytes touch all banks when written, eight lanes of 16 bytes when read.</summary>
    private const int Pitch = Columns + 8;

    /// <summary>Registers of a thread in one round.</summary>
    private const int Sums = Rows * Columns / Warp.Size;

    /// <summary>A thread's quads in one round, each four rows below the one before.</summary>
    private const int Quads = Sums / 4;

    /// <summary>Rows of C between a thread's quads.</summary>
    private const int RowStep = Rows / Quads;

    /// <summary>Writes a warp's part of a block of C, or of its partial sums to the workspace.</summary>
    /// <param name="staged">The warp's shared memory.</param>
    /// <param name="start">Where the product's results begin, in C or in the workspace.</param>
    /// <param name="row">The warp's first row in C.</param>
    /// <param name="column">The block's first column in C.</param>
    /// <param name="sums">
    /// Of rows lane / 4 and 8 below, of every eight columns 2 (lane mod 4) and the next.
    /// </param>
    public static void Write<TWord, TFormat, TCount>(
        GemmArguments<TWord> arguments, GemmOutput output, Shared<float> staged, long start, int row, int column, Registers<float, TCount> sums)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TCount : struct, ICount
    {
        Shared<Float2> to = staged.From(((Warp.Lane >> 2) * Pitch) + ((Warp.Lane & 3) * 2)).As<Float2>();
        Shared<Float4> from = staged.From(((Warp.Lane >> 3) * Pitch) + ((Warp.Lane & 7) * 4)).As<Float4>();
        row += Warp.Lane >> 3;
        column += (Warp.Lane & 7) * 4;
        long leading = output.Partial ? arguments.WorkspacePitch : arguments.LeadingC;
        long first = start + (row * leading) + column;
        long step = leading * RowStep;
        int rows = arguments.M - row;
        View<float> workspace = output.Partial ? arguments.Workspace.From(first) : default;
        View<TWord> c = output.Partial ? default : arguments.C.From(first);
        View<TWord> pre = output.Pre ? arguments.Pre.From(first) : default;

        // Old values of one round are on their way while the round before is written.
        Registers<Float4, N8> old = default;
        if (output.Accumulate)
        {
            Load<TWord, TFormat>(output, c, step, rows, arguments.N - column, 0, ref old);
        }

        for (int i = 0; i < TCount.Value / Sums; i++)
        {
            Loop.Unroll();
            if (output.Accumulate && i + 1 < TCount.Value / Sums)
            {
                Load<TWord, TFormat>(output, c.From(Columns), step, rows, arguments.N - column - Columns, i + 1, ref old);
            }

            Warp.Barrier();
            for (int g = 0; g < Columns / 8; g++)
            {
                Loop.Unroll();
                int s = (i * Sums) + (g * 4);
                to[g * 4] = new Float2(sums[s], sums[s + 1]);
                to[(g * 4) + (4 * Pitch)] = new Float2(sums[s + 2], sums[s + 3]);
            }

            Warp.Barrier();
            Registers<Float4, N4> quads = default;
            for (int r = 0; r < Quads; r++)
            {
                Loop.Unroll();
                quads[r] = from[r * RowStep * Pitch / 4];
            }

            if (column < arguments.N)
            {
                Float4 bias = GemmEpilogue.Bias<TWord, TFormat>(arguments, output, column);
                for (int r = 0; r < Quads; r++)
                {
                    Loop.Unroll();
                    if (r * RowStep < rows)
                    {
                        if (output.Partial)
                        {
                            Quad.Store<float, Float32Format>(workspace.From(step * r), quads[r], true, 4);
                        }
                        else
                        {
                            View<TWord> argument = output.Pre ? pre.From(step * r) : default;
                            GemmEpilogue.Finish<TWord, TFormat>(
                                output, arguments.Alpha, quads[r], old[((i & 1) * Quads) + r], bias, c.From(step * r), argument, arguments.N - column);
                        }
                    }
                }
            }

            column += Columns;
            workspace = workspace.From(Columns);
            c = c.From(Columns);
            pre = pre.From(Columns);
        }
    }

    // Old values of C for a round, into the half of the registers of its parity.
    private static void Load<TWord, TFormat>(GemmOutput output, View<TWord> c, long step, int rows, int columns, int round, ref Registers<Float4, N8> old)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        for (int r = 0; r < Quads; r++)
        {
            Loop.Unroll();
            if (columns > 0 && r * RowStep < rows)
            {
                old[((round & 1) * Quads) + r] = Quad.Load<TWord, TFormat>(c.From(step * r), output.Vector, columns);
            }
            else
            {
                old[((round & 1) * Quads) + r] = default;
            }
        }
    }
}
