using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of <see cref="KlDivergenceKernels"/> on logits [rows, classes] at device addresses.</summary>
internal static class KlDivergence
{
    /// <summary>loss[1] (float32) = scale · Σ over the rows.</summary>
    public static void Forward(Accelerator accelerator, DType type, nint student, nint teacher, double temperature, double scale, nint loss, long rows, long classes)
    {
        using DeviceBuffer<double> terms = accelerator.Allocate<double>(rows, "distances of rows");
        RowPlan.Dispatch(type, "KlDivergence", new ForwardLaunch(accelerator, student, teacher, (float)(1 / temperature), terms.View, rows, classes), rows, classes, RowPlan.SeveralRows);
        Totals.OfTerms(accelerator, terms, scale, loss);
    }

    /// <summary>gstudent = gloss · scale · (p_S − p_T) / β; gstudent may be student; gloss[1] is float32.</summary>
    public static void Backward(
        Accelerator accelerator, DType type, nint student, nint teacher, double temperature, double scale, nint gloss, nint gstudent, long rows, long classes) =>
        RowPlan.Dispatch(
            type, "KlDivergenceGradient",
            new BackwardLaunch(accelerator, student, teacher, (float)(1 / temperature), (float)(scale / temperature), gloss, gstudent, rows, classes), rows, classes, RowPlan.SeveralRows);

    private readonly record struct ForwardLaunch(
        Accelerator Accelerator, nint Student, nint Teacher, float Inverse, View<double> Terms, long Rows, long Classes) : IRowLaunch
    {
        public void Run<TWord, TFormat, TTeam, TCount>(in RowPlan plan)
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
            where TTeam : struct, IRowTeam
            where TCount : struct, ICount
        {
            (Accelerator accelerator, nint student, nint teacher, float inverse, View<double> terms, long rows, long classes) = this;
            accelerator.Launch(
                Kernels<TWord, TFormat, TTeam, TCount>.Forward, plan.Shape(rows),
                RowMatrix.View<TWord>(student, rows, classes), RowMatrix.View<TWord>(teacher, rows, classes), terms, (int)rows, (int)classes, inverse,
                plan.Access(classes, TFormat.Lanes, RowMatrix.Aligned(student | teacher)), plan.IsWide(classes));
        }
    }

    private readonly record struct BackwardLaunch(
        Accelerator Accelerator, nint Student, nint Teacher, float Inverse, float Factor, nint GLoss, nint GStudent, long Rows, long Classes) : IRowLaunch
    {
        public void Run<TWord, TFormat, TTeam, TCount>(in RowPlan plan)
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
            where TTeam : struct, IRowTeam
            where TCount : struct, ICount
        {
            (Accelerator accelerator, nint student, nint teacher, float inverse, float factor, nint gloss, nint gstudent, long rows, long classes) = this;
            accelerator.Launch(
                Kernels<TWord, TFormat, TTeam, TCount>.Backward, plan.Shape(rows),
                RowMatrix.View<TWord>(student, rows, classes), RowMatrix.View<TWord>(teacher, rows, classes), RowMatrix.ReadOnly<float>(gloss, 1),
                RowMatrix.View<TWord>(gstudent, rows, classes), (int)rows, (int)classes, inverse, factor,
                plan.Access(classes, TFormat.Lanes, RowMatrix.Aligned(student | teacher | gstudent)), plan.IsWide(classes));
        }
    }

    private static class Kernels<TWord, TFormat, TTeam, TCount>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        public static readonly Kernel Forward = Kernel.Of(KlDivergenceKernels.Forward<TWord, TFormat, TTeam, TCount>);
        public static readonly Kernel Backward = Kernel.Of(KlDivergenceKernels.Backward<TWord, TFormat, TTeam, TCount>);
    }
}
