using LinearCald.Gpu;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of <see cref="LayerMseKernels"/> on hidden states [samples, positions, columns] at device addresses; lengths is int32 [samples] or 0.</summary>
internal static class LayerMse
{
    /// <summary>loss[1] (float32) = scale · Σ (N(s) − N(t))².</summary>
    public static void Forward(
        Accelerator accelerator, DType type, nint student, nint teacher, nint lengths, bool normalise, double scale, nint loss, long samples, long positions, long columns)
    {
        long rows = samples * positions;
        using DeviceBuffer<double> terms = accelerator.Allocate<double>(rows, "distances of rows");
        if (columns == 0)
        {
            Copy.FillBytes(accelerator, terms.Address, rows * sizeof(double), 0);
        }

        RowPlan.Dispatch(type, "LayerMse", new ForwardLaunch(accelerator, student, teacher, lengths, normalise, terms.View, rows, positions, columns), rows, columns, RowPlan.SeveralRows);
        Totals.OfTerms(accelerator, terms, scale, loss);
    }

    /// <summary>gstudent, which may be student; gloss[1] is float32.</summary>
    public static void Backward(
        Accelerator accelerator, DType type, nint student, nint teacher, nint lengths, bool normalise, double scale, nint gloss, nint gstudent,
        long samples, long positions, long columns) =>
        RowPlan.Dispatch(
            type, "LayerMseGradient",
            new BackwardLaunch(accelerator, student, teacher, lengths, normalise, (float)(2 * scale), gloss, gstudent, samples * positions, positions, columns),
            samples * positions, columns, RowPlan.SeveralRows);

    private readonly record struct ForwardLaunch(
        Accelerator Accelerator, nint Student, nint Teacher, nint Lengths, bool Normalise, View<double> Terms, long Rows, long Positions, long Columns) : IRowLaunch
    {
        public void Run<TWord, TFormat, TTeam, TCount>(in RowPlan plan)
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
            where TTeam : struct, IRowTeam
            where TCount : struct, ICount
        {
            (Accelerator accelerator, nint student, nint teacher, nint lengths, bool normalise, View<double> terms, long rows, long positions, long columns) = this;
            accelerator.Launch(
                Kernels<TWord, TFormat, TTeam, TCount>.Forward, plan.Shape(rows),
                RowMatrix.View<TWord>(student, rows, columns), RowMatrix.View<TWord>(teacher, rows, columns), RowMatrix.ReadOnly<int>(lengths, rows / positions), terms,
                (int)rows, (int)positions, (int)columns, (float)LayerMseKernel.Epsilon,
                plan.Access(columns, TFormat.Lanes, RowMatrix.Aligned(student | teacher)), plan.IsWide(columns), normalise, lengths != 0);
        }
    }

    private readonly record struct BackwardLaunch(
        Accelerator Accelerator, nint Student, nint Teacher, nint Lengths, bool Normalise, float Factor, nint GLoss, nint GStudent, long Rows, long Positions, long Columns) : IRowLaunch
    {
        public void Run<TWord, TFormat, TTeam, TCount>(in RowPlan plan)
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
            where TTeam : struct, IRowTeam
            where TCount : struct, ICount
        {
            (Accelerator accelerator, nint student, nint teacher, nint lengths, bool normalise, float factor, nint gloss, nint gstudent, long rows, long positions, long columns) = this;
            accelerator.Launch(
                Kernels<TWord, TFormat, TTeam, TCount>.Backward, plan.Shape(rows),
                RowMatrix.View<TWord>(student, rows, columns), RowMatrix.View<TWord>(teacher, rows, columns), RowMatrix.ReadOnly<int>(lengths, rows / positions),
                RowMatrix.ReadOnly<float>(gloss, 1), RowMatrix.View<TWord>(gstudent, rows, columns), (int)rows, (int)positions, (int)columns,
                (float)LayerMseKernel.Epsilon, factor,
                plan.Access(columns, TFormat.Lanes, RowMatrix.Aligned(student | teacher | gstudent)), plan.IsWide(columns), normalise, lengths != 0);
        }
    }

    private static class Kernels<TWord, TFormat, TTeam, TCount>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        public static readonly Kernel Forward = Kernel.Of(LayerMseKernels.Forward<TWord, TFormat, TTeam, TCount>);
        public static readonly Kernel Backward = Kernel.Of(LayerMseKernels.Backward<TWord, TFormat, TTeam, TCount>);
    }
}
