using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Second pass of a product that was split along k: adds the parts in their order, which is fixed, so that the same product gives the same bits every
/// time; then what <see cref="GemmEpilogue"/> does. Floor: 4·parts bytes read and one element written a result.
/// </summary>
internal static class SplitSum
{
    /// <summary>Threads of a group; each makes four neighbours of a row.</summary>
    public const int Threads = 256;

    /// <summary>Grid: quads of C along x, row by row; stack along z.</summary>
    [Kernel(Name = "gemm_split_sum")]
    public static void Run<TWord, TFormat>(GemmArguments<TWord> arguments, [Constant] GemmOutput output)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        uint quads = (uint)arguments.WorkspacePitch / 4;
        uint index = (uint)Grid.ThreadX;
        int row = (int)(index / quads);
        int column = (int)(index - ((uint)row * quads)) * 4;
        if (row < arguments.M)
        {
            long rows = (long)Grid.IndexZ * arguments.M;
            ReadOnlyView<Float4> parts = ((ReadOnlyView<float>)arguments.Workspace).From(((rows + row) * arguments.WorkspacePitch) + column).As<Float4>();
            long step = (long)Grid.SizeZ * arguments.M * quads;
            Float4 sum = parts[0];
            for (int part = 1; part < arguments.Parts; part++)
            {
                parts = parts.From(step);
                Float4 next = parts[0];
                sum = new Float4(sum.X + next.X, sum.Y + next.Y, sum.Z + next.Z, sum.W + next.W);
            }

            long offset = arguments.Start(output.Nested, arguments.StrideC, arguments.InnerStrideC) + ((long)row * arguments.LeadingC) + column;
            View<TWord> c = arguments.C.From(offset);
            View<TWord> pre = output.Pre ? arguments.Pre.From(offset) : default;
            int columns = arguments.N - column;
            Float4 old = output.Accumulate ? Quad.Load<TWord, TFormat>(c, output.Vector, columns) : default;
            Float4 bias = GemmEpilogue.Bias<TWord, TFormat>(arguments, output, column);
            GemmEpilogue.Finish<TWord, TFormat>(output, arguments.Alpha, sum, old, bias, c, pre, columns);
        }
    }
}
