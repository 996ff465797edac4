using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of <see cref="CrossEntropyKernels"/> on logits [rows, classes] and int32 labels [rows] at device addresses.</summary>
internal static class CrossEntropy
{
    private static readonly Kernel s_total = Kernel.Of(CrossEntropyKernels.Total);
    private static readonly Kernel s_scale = Kernel.Of(CrossEntropyKernels.Scale);
    private static readonly Kernel s_factors = Kernel.Of(CrossEntropyKernels.Factors);

    /// <summary>loss[1] and lse [rows], float32.</summary>
    public static void Forward(Accelerator accelerator, DType type, nint logits, nint labels, int ignore, bool mean, nint loss, nint lse, long rows, long classes)
    {
        using DeviceBuffer<double> losses = accelerator.Allocate<double>(rows, "losses of rows");
        RowPlan.Dispatch(type, "CrossEntropy", new ForwardLaunch(accelerator, logits, labels, ignore, lse, losses.View, rows, classes), rows, classes, RowPlan.SeveralRows);
        accelerator.Launch(s_total, new LaunchShape(1, TotalKernels.Threads), losses.ReadOnly, RowMatrix.ReadOnly<int>(labels, rows), (int)rows, ignore, RowMatrix.View<float>(loss, 1), mean);
    }

    /// <summary>glogits [rows, classes], which may be logits; gloss[1] is float32.</summary>
    public static void Backward(
        Accelerator accelerator, DType type, nint logits, nint labels, int ignore, bool mean, nint lse, nint gloss, nint glogits, long rows, long classes)
    {
        using DeviceBuffer<float> scale = accelerator.Allocate<float>(1, "scale of a loss");
        accelerator.Launch(s_scale, new LaunchShape(1, TotalKernels.Threads), RowMatrix.ReadOnly<float>(gloss, 1), RowMatrix.ReadOnly<int>(labels, rows), (int)rows, ignore, scale.View, mean);
        RowPlan.Dispatch(type, "CrossEntropyGradient", new BackwardLaunch(accelerator, logits, labels, ignore, lse, scale.ReadOnly, glogits, rows, classes), rows, classes, RowPlan.SeveralRows);
    }

    /// <summary>The same from float32 logits into a gradient of <paramref name="output"/>, bfloat16 or float16.</summary>
    public static void BackwardRounded(
        Accelerator accelerator, DType output, nint logits, nint labels, int ignore, bool mean, nint lse, nint gloss, nint glogits, long rows, long classes)
    {
        using DeviceBuffer<float> scale = accelerator.Allocate<float>(1, "scale of a loss");
        accelerator.Launch(s_scale, new LaunchShape(1, TotalKernels.Threads), RowMatrix.ReadOnly<float>(gloss, 1), RowMatrix.ReadOnly<int>(labels, rows), (int)rows, ignore, scale.View, mean);
        BackwardLaunch launch = new(accelerator, logits, labels, ignore, lse, scale.ReadOnly, glogits, rows, classes);
        if (output == DType.BFloat16)
        {
            RowPlan.Dispatch(DType.Float32, "CrossEntropyGradient", new RoundedLaunch<ushort, BFloat16Format>(launch), rows, classes, RowPlan.SeveralRows);
        }
        else
        {
            RowPlan.Dispatch(DType.Float32, "CrossEntropyGradient", new RoundedLaunch<ushort, Float16Format>(launch), rows, classes, RowPlan.SeveralRows);
        }
    }

    /// <summary>factors[2], float32: of the sum of the rows' losses and of its gradients.</summary>
    public static void Factors(Accelerator accelerator, nint labels, long rows, int ignore, bool mean, nint factors) => accelerator.Launch(
        s_factors, new LaunchShape(1, TotalKernels.Threads), RowMatrix.ReadOnly<int>(labels, rows), (int)rows, ignore, RowMatrix.View<float>(factors, 2), mean);

    private readonly record struct ForwardLaunch(
        Accelerator Accelerator, nint Logits, nint Labels, int Ignore, nint Lse, View<double> Losses, long Rows, long Classes) : IRowLaunch
    {
        public void Run<TWord, TFormat, TTeam, TCount>(in RowPlan plan)
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
            where TTeam : struct, IRowTeam
            where TCount : struct, ICount
        {
            (Accelerator accelerator, nint logits, nint labels, int ignore, nint lse, View<double> losses, long rows, long classes) = this;
            accelerator.Launch(
                Kernels<TWord, TFormat, TTeam, TCount>.Forward, plan.Shape(rows),
                RowMatrix.ReadOnly<TWord>(logits, rows, classes), RowMatrix.ReadOnly<int>(labels, rows), RowMatrix.View<float>(lse, rows), losses,
                (int)rows, (int)classes, ignore, plan.Access(classes, TFormat.Lanes, RowMatrix.Aligned(logits)), plan.IsWide(classes));
        }
    }

    private readonly record struct BackwardLaunch(
        Accelerator Accelerator, nint Logits, nint Labels, int Ignore, nint Lse, ReadOnlyView<float> Scale, nint GLogits, long Rows, long Classes) : IRowLaunch
    {
        public void Run<TWord, TFormat, TTeam, TCount>(in RowPlan plan)
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
            where TTeam : struct, IRowTeam
            where TCount : struct, ICount
        {
            (Accelerator accelerator, nint logits, nint labels, int ignore, nint lse, ReadOnlyView<float> scale, nint glogits, long rows, long classes) = this;
            accelerator.Launch(
                Kernels<TWord, TFormat, TTeam, TCount>.Backward, plan.Shape(rows),
                RowMatrix.View<TWord>(logits, rows, classes), RowMatrix.ReadOnly<int>(labels, rows), RowMatrix.ReadOnly<float>(lse, rows), scale,
                RowMatrix.View<TWord>(glogits, rows, classes), (int)rows, (int)classes, ignore,
                plan.Access(classes, TFormat.Lanes, RowMatrix.Aligned(logits | glogits)), plan.IsWide(classes));
        }
    }

    private readonly record struct RoundedLaunch<TOut, TOutFormat>(BackwardLaunch Launch) : IRowLaunch
        where TOut : unmanaged
        where TOutFormat : struct, IElementFormat<TOut>
    {
        public void Run<TWord, TFormat, TTeam, TCount>(in RowPlan plan)
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
            where TTeam : struct, IRowTeam
            where TCount : struct, ICount
        {
            (Accelerator accelerator, nint logits, nint labels, int ignore, nint lse, ReadOnlyView<float> scale, nint glogits, long rows, long classes) = Launch;
            accelerator.Launch(
                RoundedKernels<TWord, TFormat, TOut, TOutFormat, TTeam, TCount>.Backward, plan.Shape(rows),
                RowMatrix.ReadOnly<TWord>(logits, rows, classes), RowMatrix.ReadOnly<int>(labels, rows), RowMatrix.ReadOnly<float>(lse, rows), scale,
                RowMatrix.View<TOut>(glogits, rows, classes), (int)rows, (int)classes, ignore,
                plan.Access(classes, TFormat.Lanes, RowMatrix.Aligned(logits | glogits)), plan.IsWide(classes));
        }
    }

    private static class RoundedKernels<TWord, TFormat, TOut, TOutFormat, TTeam, TCount>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TOut : unmanaged
        where TOutFormat : struct, IElementFormat<TOut>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        public static readonly Kernel Backward = Kernel.Of(CrossEntropyKernels.BackwardRounded<TWord, TFormat, TOut, TOutFormat, TTeam, TCount>);
    }

    private static class Kernels<TWord, TFormat, TTeam, TCount>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        public static readonly Kernel Forward = Kernel.Of(CrossEntropyKernels.Forward<TWord, TFormat, TTeam, TCount>);
        public static readonly Kernel Backward = Kernel.Of(CrossEntropyKernels.Backward<TWord, TFormat, TTeam, TCount>);
    }
}
