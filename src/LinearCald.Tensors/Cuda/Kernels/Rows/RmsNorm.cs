using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Operands of an RMS norm at device addresses; z is 0 for a norm without a gate.</summary>
internal readonly record struct RmsNormProblem(DType Type, RmsNormSizes Sizes, nint X, nint Z, nint W, nint Rstd);

/// <summary>Launches of the RMS norm kernels; w and rstd are float32.</summary>
internal static class RmsNorm
{
    /// <summary>Most columns of a group whose parameter gradients stay in registers.</summary>
    private const int FusedColumns = 8192;

    private const int WideSplits = 64;

    /// <summary>y [rows, columns] contiguous, and rstd.</summary>
    public static void Forward(Accelerator accelerator, in RmsNormProblem problem, nint y, double epsilon) => RowPlan.Dispatch(
        problem.Type, "RmsNorm", new ForwardLaunch(accelerator, problem, y, (float)epsilon), problem.Sizes.Rows, problem.Sizes.Size, RowPlan.SeveralRows);

    /// <summary>gx, gz and gw, of which any may be 0.</summary>
    public static void Backward(Accelerator accelerator, in RmsNormProblem problem, nint gy, nint gx, nint gz, nint gw, bool accumulate) => RowMatrix.Dispatch(
        problem.Type, "RmsNormGradient", new BackwardLaunch(accelerator, problem, gy, gx, gz, gw, accumulate), problem.Sizes.Rows, problem.Sizes.Size);

    private static ReadOnlyView<TWord> Input<TWord>(nint address, in RmsNormSizes sizes, long pitch)
        where TWord : unmanaged => RowMatrix.ReadOnly<TWord>(address, Spanned(sizes, pitch));

    private static View<TWord> Output<TWord>(nint address, in RmsNormSizes sizes, long pitch)
        where TWord : unmanaged => RowMatrix.View<TWord>(address, Spanned(sizes, pitch));

    private static long Spanned(in RmsNormSizes sizes, long pitch) => ((sizes.Rows - 1L) * pitch) + sizes.Columns;

    private static RowAccess Access(in RowPlan plan, in RmsNormSizes sizes, int lanes, nint addresses) =>
        plan.Access(sizes.Size, lanes, RowMatrix.Aligned(addresses) && (sizes.PitchX | sizes.PitchZ | sizes.PitchGX | sizes.PitchGZ) % lanes == 0);

    private static LaunchShape Over(in LaunchShape rows, int groups) => rows with { Grid = new Index3(rows.Grid.X, groups) };

    private readonly record struct ForwardLaunch(Accelerator Accelerator, RmsNormProblem Problem, nint Y, float Epsilon) : IRowLaunch
    {
        public void Run<TWord, TFormat, TTeam, TCount>(in RowPlan plan)
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
            where TTeam : struct, IRowTeam
            where TCount : struct, ICount
        {
            (DType _, RmsNormSizes sizes, nint x, nint z, nint w, nint rstd) = Problem;
            Accelerator.Launch(
                Kernels<TWord, TFormat, TTeam, TCount>.Forward, Over(plan.Shape(sizes.Rows), sizes.Groups),
                Input<TWord>(x, sizes, sizes.PitchX), Input<TWord>(z, sizes, sizes.PitchZ), RowMatrix.ReadOnly<float>(w, sizes.Columns),
                Output<TWord>(Y, sizes, sizes.Columns), RowMatrix.View<float>(rstd, sizes.Rows, sizes.Groups), sizes, Epsilon,
                Access(plan, sizes, TFormat.Lanes, x | z | w | Y), plan.IsWide(sizes.Size), z != 0);
        }
    }

    private readonly record struct BackwardLaunch(
        Accelerator Accelerator, RmsNormProblem Problem, nint GY, nint GX, nint GZ, nint GW, bool Accumulate) : IFormatLaunch
    {
        public RmsNormOutputs Outputs => new(Problem.Z != 0, GX != 0, GZ != 0, GW != 0);

        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            RmsNormSizes sizes = Problem.Sizes;
            RowPlan plan = RowPlan.For(sizes.Size, TFormat.Lanes, RowPlan.SeveralRows);
            bool fused = sizes.Size <= FusedColumns;
            int splits = fused ? Splits(plan) : Math.Min(WideSplits, sizes.Rows);
            using DeviceBuffer<float>? partial = GW == 0 ? null : Accelerator.Allocate<float>(splits * sizes.Columns, "partial gradients of a norm's weight");
            View<float> partials = partial?.View ?? default;
            if (fused || GX != 0 || GZ != 0)
            {
                plan.Dispatch<TWord, TFormat, GradientLaunch>(new GradientLaunch(this, partials, splits, fused));
            }

            if (GW == 0)
            {
                return;
            }

            if (!fused)
            {
                Accelerator.Launch(
                    ParameterKernel<TWord, TFormat>.Instance, Over(LaunchShape.For(sizes.Columns), splits),
                    Input<TWord>(GY, sizes, sizes.Columns), Input<TWord>(Problem.X, sizes, sizes.PitchX), Input<TWord>(Problem.Z, sizes, sizes.PitchZ),
                    RowMatrix.ReadOnly<float>(Problem.Rstd, sizes.Rows, sizes.Groups), partials, sizes, new FastDivisor(sizes.Size), Outputs);
            }

            ColumnSum.AddPartials(Accelerator, DType.Float32, partials, GW, splits, sizes.Columns, Accumulate);
        }

        // As many groups as run at once, for each keeps column sums of its own.
        private int Splits(in RowPlan plan)
        {
            int resident = Math.Max(1, Math.Max(1, 512 / plan.Threads) * Accelerator.Limits.Multiprocessors / Problem.Sizes.Groups);
            return Math.Min(resident, (Problem.Sizes.Rows + plan.Teams - 1) / plan.Teams);
        }
    }

    private readonly record struct GradientLaunch(BackwardLaunch Launch, View<float> Partial, int Splits, bool Fused) : IRowLaunch
    {
        public void Run<TWord, TFormat, TTeam, TCount>(in RowPlan plan)
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
            where TTeam : struct, IRowTeam
            where TCount : struct, ICount
        {
            (Accelerator accelerator, RmsNormProblem problem, nint gyAddress, nint gxAddress, nint gzAddress, _, _) = Launch;
            RmsNormSizes sizes = problem.Sizes;
            ReadOnlyView<TWord> gy = Input<TWord>(gyAddress, sizes, sizes.Columns), x = Input<TWord>(problem.X, sizes, sizes.PitchX), z = Input<TWord>(problem.Z, sizes, sizes.PitchZ);
            ReadOnlyView<float> w = RowMatrix.ReadOnly<float>(problem.W, sizes.Columns), rstd = RowMatrix.ReadOnly<float>(problem.Rstd, sizes.Rows, sizes.Groups);
            View<TWord> gx = Output<TWord>(gxAddress, sizes, sizes.PitchGX), gz = Output<TWord>(gzAddress, sizes, sizes.PitchGZ);
            RowAccess access = Access(plan, sizes, TFormat.Lanes, gyAddress | problem.X | problem.Z | problem.W | gxAddress | gzAddress);
            if (Fused)
            {
                long rowsAtOnce = (long)Splits * plan.Teams;
                accelerator.Launch(
                    Kernels<TWord, TFormat, TTeam, TCount>.Backward, Over(new LaunchShape(Splits, plan.Threads), sizes.Groups),
                    gy, x, z, w, rstd, gx, gz, Partial, sizes, (int)((sizes.Rows + rowsAtOnce - 1) / rowsAtOnce), access, Launch.Outputs);
            }
            else
            {
                accelerator.Launch(
                    Kernels<TWord, TFormat, TTeam, TCount>.WideInput, Over(plan.Shape(sizes.Rows), sizes.Groups), gy, x, z, w, rstd, gx, gz, sizes, access, Launch.Outputs);
            }
        }
    }

    private static class Kernels<TWord, TFormat, TTeam, TCount>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        public static readonly Kernel Forward = Kernel.Of(RmsNormKernels.Forward<TWord, TFormat, TTeam, TCount>);
        public static readonly Kernel Backward = Kernel.Of(RmsNormGradientKernels.Backward<TWord, TFormat, TTeam, TCount>);
        public static readonly Kernel WideInput = Kernel.Of(RmsNormGradientKernels.WideInput<TWord, TFormat, TTeam, TCount>);
    }

    private static class ParameterKernel<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Instance = Kernel.Of(RmsNormGradientKernels.WideParameters<TWord, TFormat>);
    }
}
