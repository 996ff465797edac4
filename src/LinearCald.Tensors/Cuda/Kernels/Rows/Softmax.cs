using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of <see cref="SoftmaxKernels"/> on matrices [rows, columns] at device addresses, of float32, bfloat16 or float16.</summary>
internal static class Softmax
{
    /// <summary>y = softmax(x) by row, or its logarithm; y may be x.</summary>
    public static void Forward(Accelerator accelerator, DType type, nint x, nint y, long rows, long columns, bool log) =>
        RowMatrix.Dispatch(type, "Softmax", new ForwardLaunch(accelerator, x, y, rows, columns, log), rows, columns);

    /// <summary>gx from the forward's output; gx may be gy.</summary>
    public static void Backward(Accelerator accelerator, DType type, nint y, nint gy, nint gx, long rows, long columns, bool log) =>
        RowMatrix.Dispatch(type, "SoftmaxGradient", new BackwardLaunch(accelerator, y, gy, gx, rows, columns, log), rows, columns);

    private readonly record struct ForwardLaunch(Accelerator Accelerator, nint X, nint Y, long Rows, long Columns, bool Log) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord> =>
            RowPlan.For(Columns, TFormat.Lanes).Dispatch(new OfFormat<TWord, TFormat>(this));

        private readonly record struct OfFormat<TWord, TFormat>(ForwardLaunch Launch) : IRowLaunch
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            public void Run<TTeam, TCount>(in RowPlan plan)
                where TTeam : struct, IRowTeam
                where TCount : struct, ICount =>
                Launch.Accelerator.Launch(
                    Kernels<TWord, TFormat, TTeam, TCount>.Forward, plan.Shape(Launch.Rows),
                    RowMatrix.View<TWord>(Launch.X, Launch.Rows, Launch.Columns), RowMatrix.View<TWord>(Launch.Y, Launch.Rows, Launch.Columns),
                    (int)Launch.Rows, (int)Launch.Columns,
                    plan.Access(Launch.Columns, TFormat.Lanes, RowMatrix.Aligned(Launch.X | Launch.Y)), plan.IsWide(Launch.Columns), Launch.Log);
        }
    }

    private readonly record struct BackwardLaunch(Accelerator Accelerator, nint Y, nint GY, nint GX, long Rows, long Columns, bool Log) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord> =>
            RowPlan.For(Columns, TFormat.Lanes, 16).Dispatch(new OfFormat<TWord, TFormat>(this));

        private readonly record struct OfFormat<TWord, TFormat>(BackwardLaunch Launch) : IRowLaunch
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            public void Run<TTeam, TCount>(in RowPlan plan)
                where TTeam : struct, IRowTeam
                where TCount : struct, ICount =>
                Launch.Accelerator.Launch(
                    Kernels<TWord, TFormat, TTeam, TCount>.Backward, plan.Shape(Launch.Rows),
                    RowMatrix.View<TWord>(Launch.Y, Launch.Rows, Launch.Columns), RowMatrix.View<TWord>(Launch.GY, Launch.Rows, Launch.Columns),
                    RowMatrix.View<TWord>(Launch.GX, Launch.Rows, Launch.Columns), (int)Launch.Rows, (int)Launch.Columns,
                    plan.Access(Launch.Columns, TFormat.Lanes, RowMatrix.Aligned(Launch.Y | Launch.GY | Launch.GX)), plan.IsWide(Launch.Columns), Launch.Log);
        }
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
