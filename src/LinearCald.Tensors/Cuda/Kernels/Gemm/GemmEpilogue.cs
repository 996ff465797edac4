using LinearCald.Gpu;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// What happens to the sums of a block of C after they were staged in shared memory, or summed over the parts of k. Going through shared memory costs about
/// a hundredth of a block's time at K = 4096 and lets rows be read and written in whole sectors, with one short rolled loop instead of an activation unrolled over every register.
/// </summary>
internal static class GemmEpilogue
{
    /// <summary>Rows that a thread works on at once, so that their reads of C are under way together.</summary>
    private const int Together = 4;

    /// <summary>Writes staged rows of a block of C, or its partial sums to the workspace.</summary>
    /// <param name="staged">Row-major sums of <paramref name="rows"/> × the tile's columns.</param>
    /// <param name="pitch">Floats from row to row, a multiple of four.</param>
    /// <param name="rows">Rows staged; known to the compiler.</param>
    /// <param name="firstRow">The first staged row's place in C.</param>
    /// <param name="firstColumn">The first column's.</param>
    public static void Write<TWord, TFormat>(GemmArguments<TWord> arguments, GemmVariant variant, Shared<float> staged, int pitch, int rows, int firstRow, int firstColumn)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int quads = variant.Tile.N / 4;
        int step = variant.Tile.Threads / quads;
        int row = (int)((uint)Group.Thread / (uint)quads);
        int column = (Group.Thread & (quads - 1)) * 4;
        Shared<Float4> sums = staged.From((row * pitch) + column).As<Float4>();
        column += firstColumn;
        if (column < arguments.N)
        {
            row += firstRow;
            if (variant.Output.Partial)
            {
                long part = ((long)Grid.IndexY * Grid.SizeZ) + Grid.IndexZ;
                View<float> workspace = arguments.Workspace.From((((part * arguments.M) + row) * arguments.WorkspacePitch) + column);
                for (int i = 0; i < rows / step; i++)
                {
                    Loop.Keep();
                    if (row < arguments.M)
                    {
                        Quad.Store<float, Float32Format>(workspace, sums[0], true, 4);
                    }

                    row += step;
                    sums = sums.From(step * pitch / 4);
                    workspace = workspace.From((long)arguments.WorkspacePitch * step);
                }
            }
            else
            {
                long offset = arguments.Start(variant.Output.Nested, arguments.StrideC, arguments.InnerStrideC) + ((long)row * arguments.LeadingC) + column;
                View<TWord> c = arguments.C.From(offset);
                View<TWord> pre = variant.Output.Pre ? arguments.Pre.From(offset) : default;
                int columns = arguments.N - column;
                Float4 bias = Bias<TWord, TFormat>(arguments, variant.Output, column);
                for (int i = 0; i < rows / (step * Together); i++)
                {
                    Loop.Keep();
                    Registers<Float4, N4> old = default;
                    if (variant.Output.Accumulate)
                    {
                        for (int r = 0; r < Together; r++)
                        {
                            Loop.Unroll();
                            if (row + (r * step) < arguments.M)
                            {
                                old[r] = Quad.Load<TWord, TFormat>(c.From((long)arguments.LeadingC * (r * step)), variant.Output.Vector, columns);
                            }
                            else
                            {
                                old[r] = default;
                            }
                        }
                    }

                    for (int r = 0; r < Together; r++)
                    {
                        Loop.Unroll();
                        if (row < arguments.M)
                        {
                            Finish<TWord, TFormat>(variant.Output, arguments.Alpha, sums[r * step * pitch / 4], old[r], bias, c, pre, columns);
                        }

                        row += step;
                        c = c.From((long)arguments.LeadingC * step);
                        if (variant.Output.Pre)
                        {
                            pre = pre.From((long)arguments.LeadingC * step);
                        }
                    }

                    sums = sums.From(Together * step * pitch / 4);
                }
            }
        }
    }

    /// <summary>Four values of the bias, zeros where there is none.</summary>
    public static Float4 Bias<TWord, TFormat>(GemmArguments<TWord> arguments, GemmOutput output, int column)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int columns = arguments.N - column;
        long first = output.Nested ? column + arguments.Start(true, 0, arguments.N) : column;
        if (output.Bias)
        {
            return Quad.Load<TWord, TFormat>(arguments.Bias.As<TWord>().From(first), output.Vector, columns);
        }

        return output.Float32Bias ? Quad.Load<float, Float32Format>(arguments.Bias.As<float>().From(first), output.Vector, columns) : default;
    }

    /// <summary>Scales, adds, applies the activation and writes four neighbours of a row, of which <paramref name="columns"/> exist.</summary>
    public static void Finish<TWord, TFormat>(GemmOutput output, float alpha, Float4 sum, Float4 old, Float4 bias, View<TWord> c, View<TWord> pre, int columns)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        Float4 value = new(
            Argument(output, alpha, sum.X, old.X, bias.X),
            Argument(output, alpha, sum.Y, old.Y, bias.Y),
            Argument(output, alpha, sum.Z, old.Z, bias.Z),
            Argument(output, alpha, sum.W, old.W, bias.W));
        if (output.Pre)
        {
            Quad.Store<TWord, TFormat>(pre, value, output.Vector, columns);
        }

        if (output.Activation != Activation.None)
        {
            value = new Float4(
                ActivationMath.Apply(output.Activation, value.X),
                ActivationMath.Apply(output.Activation, value.Y),
                ActivationMath.Apply(output.Activation, value.Z),
                ActivationMath.Apply(output.Activation, value.W));
        }

        Quad.Store<TWord, TFormat>(c, value, output.Vector, columns);
    }

    private static float Argument(GemmOutput output, float alpha, float sum, float old, float bias)
    {
        float value = alpha * sum;
        if (output.Accumulate)
        {
            value += old;
        }

        if (output.Bias || output.Float32Bias)
        {
            value += bias;
        }

        return value;
    }
}
