using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of <see cref="LabelScoreKernels"/> on logits [rows, classes] and int32 labels [rows] at device addresses.</summary>
internal static class LabelScores
{
    // Columns are compared as float32, which holds whole numbers up to here.
    private const long MostClasses = 1 << 24;

    /// <summary>likelihoods [rows], float32, and best [rows], int32.</summary>
    /// <exception cref="CaldException">More classes than the kernel counts.</exception>
    public static void Forward(Accelerator accelerator, DType type, nint logits, nint labels, nint likelihoods, nint best, long rows, long classes)
    {
        if (classes > MostClasses)
        {
            throw new CaldException($"LabelScores: {classes} classes are more than the {MostClasses} a GPU's kernel counts; use --device cpu");
        }

        RowPlan.Dispatch(type, "LabelScores", new Launch(accelerator, logits, labels, likelihoods, best, rows, classes), rows, classes, RowPlan.SeveralRows);
    }

    private readonly record struct Launch(
        Accelerator Accelerator, nint Logits, nint Labels, nint Likelihoods, nint Best, long Rows, long Classes) : IRowLaunch
    {
        public void Run<TWord, TFormat, TTeam, TCount>(in RowPlan plan)
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
            where TTeam : struct, IRowTeam
            where TCount : struct, ICount
        {
            (Accelerator accelerator, nint logits, nint labels, nint likelihoods, nint best, long rows, long classes) = this;
            accelerator.Launch(
                Kernels<TWord, TFormat, TTeam, TCount>.Forward, plan.Shape(rows),
                RowMatrix.ReadOnly<TWord>(logits, rows, classes), RowMatrix.ReadOnly<int>(labels, rows), RowMatrix.View<float>(likelihoods, rows), RowMatrix.View<int>(best, rows),
                (int)rows, (int)classes, plan.Access(classes, TFormat.Lanes, RowMatrix.Aligned(logits)), plan.IsWide(classes));
        }
    }

    private static class Kernels<TWord, TFormat, TTeam, TCount>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        public static readonly Kernel Forward = Kernel.Of(LabelScoreKernels.Forward<TWord, TFormat, TTeam, TCount>);
    }
}
