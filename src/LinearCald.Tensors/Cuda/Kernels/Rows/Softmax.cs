using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of <see cref="SoftmaxKernels"/> on matrices [rows, columns] at device addresses, of float32, bfloat16 or float16.</summary>
internal static class Softmax
{
    /// <summary>y = softmax(x) by row, or its logarithm; y may be x.</summary>
    public static void Forward(Accelerator accelerator, DType type, nint x, nint y, long rows, long columns, bool log) =>
        RowPlan.Dispatch(type, "Softmax", new ForwardLaunch(accelerator, x, y, rows, columns, log), rows, columns, RowPlan.OneRow);

    /// <summary>gx from the forward's output; gx may be gy.</summary>
    public static void Backward(Accelerator accelerator, DType type, nint y, nint gy, nint gx, long rows, long columns, bool log) =>
        RowPlan.Dispatch(type, "SoftmaxGradient", new BackwardLaunch(accelerator, y, gy, gx, rows, columns, log), rows, columns, RowPlan.SeveralRows);

    private readonly record struct ForwardLaunch(Accelerator Accelerator, nint X, nint Y, long Rows, long Columns, bool Log) : IRowLaunch
    {
        public void Run<TWord, TFormat, TTeam, TCount>(in RowPlan plan)
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
            where TTeam : struct, IRowTeam
            where TCount : struct, ICount =>
            Accelerator.Launch(
                Kernels<TWord, TFormat, TTeam, TCount>.Forward, plan.Shape(Rows),
                RowMatrix.View<TWord>(X, Rows, Columns), RowMatrix.View<TWord>(Y, Rows, Columns),
                (int)Rows, (int)Columns,
                plan.Access(Columns, TFormat.Lanes, RowMatrix.Aligned(X | Y)), plan.IsWide(Columns), Log);
    }

    private readonly record struct BackwardLaunch(Accelerator Accelerator, nint Y, nint GY, nint GX, long Rows, long Columns, bool Log) : IRowLaunch
    {
        public void Run<TWord, TFormat, TTeam, TCount>(in RowPlan plan)
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
            where TTeam : struct, IRowTeam
            where TCount : struct, ICount =>
            Accelerator.Launch(
                Kernels<TWord, TFormat, TTeam, TCount>.Backward, plan.Shape(Rows),
                RowMatrix.View<TWord>(Y, Rows, Columns), RowMatrix.View<TWord>(GY, Rows, Columns),
                RowMatrix.View<TWord>(GX, Rows, Columns), (int)Rows, (int)Columns,
                plan.Access(Columns, TFormat.Lanes, RowMatrix.Aligned(Y | GY | GX)), plan.IsWide(Columns), Log);
    }

    private static class Kernels<TWord, TFormat, TTeam, TCount>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        public static readonly Kernel Forward = Kernel.Of(SoftmaxKernels.Forward<TWord, TFormat, TTeam, TCount>);
        public static readonly Kernel Backward = Kernel.Of(SoftmaxKernels.Backward<TWord, TFormat, TTeam, TCount>);
    }
}
