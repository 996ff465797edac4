using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of the layer norm kernels on matrices [rows, columns] at device addresses; w, b and statistics are float32, address 0 stands for none.</summary>
internal static class LayerNorm
{
    /// <summary>Most columns whose parameter gradients stay in registers.</summary>
    private const int FusedColumns = 8192;

    private const int WideSplits = 64;

    /// <summary>y = (x − mean) rstd w + b; y may be x.</summary>
    public static void Forward(Accelerator accelerator, DType type, nint x, nint w, nint b, nint y, nint mean, nint rstd, long rows, long columns, double epsilon) =>
        RowPlan.Dispatch(type, "LayerNorm", new ForwardLaunch(accelerator, x, w, b, y, mean, rstd, rows, columns, (float)epsilon), rows, columns, RowPlan.OneRow);

    /// <summary>sum = x + dropout(h), y = the norm of it; sum may be x or h.</summary>
    public static void Residual(
        Accelerator accelerator, DType type, nint x, nint h, nint w, nint b, nint sum, nint y, nint mean, nint rstd, long rows, long columns, double epsilon, double p, DeviceRandomKey key) =>
        RowPlan.Dispatch(
            type, "ResidualLayerNorm", new ResidualLaunch(accelerator, x, h, w, b, sum, y, mean, rstd, rows, columns, (float)epsilon, p > 0, RowDropout.For(p, key)), rows, columns, RowPlan.SeveralRows);

    /// <summary>gx, gw and gb, of which any may be 0; gx may be gy.</summary>
    public static void Backward(
        Accelerator accelerator, DType type, nint gy, nint x, nint w, nint mean, nint rstd, nint gx, nint gw, bool accumulateW, nint gb, bool accumulateB, long rows, long columns) =>
        RowMatrix.Dispatch(
            type, "LayerNormGradient", new BackwardLaunch(accelerator, gy, x, w, mean, rstd, gx, gw, accumulateW, gb, accumulateB, rows, columns), rows, columns);

    private readonly record struct ForwardLaunch(
        Accelerator Accelerator, nint X, nint W, nint B, nint Y, nint Mean, nint Rstd, long Rows, long Columns, float Epsilon) : IRowLaunch
    {
        public void Run<TWord, TFormat, TTeam, TCount>(in RowPlan plan)
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
            where TTeam : struct, IRowTeam
            where TCount : struct, ICount
        {
            (Accelerator accelerator, nint x, nint w, nint b, nint y, nint mean, nint rstd, long rows, long columns, float epsilon) = this;
            accelerator.Launch(
                Kernels<TWord, TFormat, TTeam, TCount>.Forward, plan.Shape(rows),
                RowMatrix.View<TWord>(x, rows, columns), RowMatrix.ReadOnly<float>(w, columns), RowMatrix.ReadOnly<float>(b, columns),
                RowMatrix.View<TWord>(y, rows, columns), RowMatrix.View<float>(mean, rows), RowMatrix.View<float>(rstd, rows), (int)rows, (int)columns, epsilon,
                plan.Access(columns, TFormat.Lanes, RowMatrix.Aligned(x | y | w | b)), plan.IsWide(columns), w != 0, b != 0);
        }
    }

    private readonly record struct ResidualLaunch(
        Accelerator Accelerator, nint X, nint H, nint W, nint B, nint Sum, nint Y, nint Mean, nint Rstd, long Rows, long Columns, float Epsilon, bool Drop, RowDropout Dropout) : IRowLaunch
    {
        public void Run<TWord, TFormat, TTeam, TCount>(in RowPlan plan)
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
            where TTeam : struct, IRowTeam
            where TCount : struct, ICount
        {
            (Accelerator accelerator, nint x, nint h, nint w, nint b, nint sum, nint y, nint mean, nint rstd, long rows, long columns, float epsilon, bool drop, RowDropout dropout) = this;
            accelerator.Launch(
                Kernels<TWord, TFormat, TTeam, TCount>.Residual, plan.Shape(rows),
                RowMatrix.View<TWord>(x, rows, columns), RowMatrix.View<TWord>(h, rows, columns), RowMatrix.ReadOnly<float>(w, columns), RowMatrix.ReadOnly<float>(b, columns),
                RowMatrix.View<TWord>(sum, rows, columns), RowMatrix.View<TWord>(y, rows, columns), RowMatrix.View<float>(mean, rows), RowMatrix.View<float>(rstd, rows),
                (int)rows, (int)columns, epsilon, dropout,
                plan.Access(columns, TFormat.Lanes, RowMatrix.Aligned(x | h | w | b | sum | y)), plan.IsWide(columns), drop, columns % 64 == 0);
        }
    }

    private readonly record struct BackwardLaunch(
        Accelerator Accelerator, nint GY, nint X, nint W, nint Mean, nint Rstd, nint GX, nint GW, bool AccumulateW, nint GB, bool AccumulateB, long Rows, long Columns) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            RowPlan plan = RowPlan.For(Columns, TFormat.Lanes, RowPlan.SeveralRows);
            bool parameters = GW != 0 || GB != 0;
            bool fused = Columns <= FusedColumns;
            int groups = fused ? Groups(plan) : (int)Math.Min(WideSplits, Rows);
            using DeviceBuffer<float>? partialW = parameters ? Accelerator.Allocate<float>(groups * Columns, "partial gradients of a norm's weight") : null;
            using DeviceBuffer<float>? partialB = parameters ? Accelerator.Allocate<float>(groups * Columns, "partial gradients of a norm's bias") : null;
            Partials partials = new(this, groups, partialW?.View ?? default, partialB?.View ?? default);
            if (fused)
            {
                plan.Dispatch<TWord, TFormat, Fused>(new Fused(partials));
            }
            else
            {
                if (GX != 0)
                {
                    plan.Dispatch<TWord, TFormat, Wide>(new Wide(partials));
                }

                if (parameters)
                {
                    Accelerator.Launch(
                        ParameterKernel<TWord, TFormat>.Instance, LaunchShape.For(Columns) with { Grid = new Index3((int)((Columns + 255) / 256), groups) },
                        RowMatrix.View<TWord>(GY, Rows, Columns), RowMatrix.ReadOnly<TWord>(X, Rows, Columns), RowMatrix.ReadOnly<float>(Mean, Rows),
                        RowMatrix.ReadOnly<float>(Rstd, Rows), partials.W, partials.B, (int)Rows, (int)Columns);
                }
            }

            if (GW != 0)
            {
                ColumnSum.AddPartials(Accelerator, DType.Float32, partials.W, GW, groups, Columns, AccumulateW);
            }

            if (GB != 0)
            {
                ColumnSum.AddPartials(Accelerator, DType.Float32, partials.B, GB, groups, Columns, AccumulateB);
            }
        }

        // As many groups as run at once, for each keeps column sums of its own.
        private int Groups(in RowPlan plan)
        {
            int resident = Math.Max(1, 512 / plan.Threads) * Accelerator.Limits.Multiprocessors;
            return (int)Math.Min(resident, (Rows + plan.Teams - 1) / plan.Teams);
        }
    }

    private readonly record struct Partials(BackwardLaunch Launch, int Groups, View<float> W, View<float> B);

    private readonly record struct Fused(Partials Partials) : IRowLaunch
    {
        public void Run<TWord, TFormat, TTeam, TCount>(in RowPlan plan)
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
            where TTeam : struct, IRowTeam
            where TCount : struct, ICount
        {
            BackwardLaunch l = Partials.Launch;
            long rowsAtOnce = (long)Partials.Groups * plan.Teams;
            nint addresses = l.GY | l.X | l.W | l.GX | RowMatrix.Address(Partials.W) | RowMatrix.Address(Partials.B);
            l.Accelerator.Launch(
                Kernels<TWord, TFormat, TTeam, TCount>.Backward, new LaunchShape(Partials.Groups, plan.Threads),
                RowMatrix.View<TWord>(l.GY, l.Rows, l.Columns), RowMatrix.ReadOnly<TWord>(l.X, l.Rows, l.Columns), RowMatrix.ReadOnly<float>(l.W, l.Columns),
                RowMatrix.ReadOnly<float>(l.Mean, l.Rows), RowMatrix.ReadOnly<float>(l.Rstd, l.Rows), RowMatrix.View<TWord>(l.GX, l.Rows, l.Columns),
                Partials.W, Partials.B, (int)l.Rows, (int)l.Columns, (int)((l.Rows + rowsAtOnce - 1) / rowsAtOnce),
                plan.Access(l.Columns, TFormat.Lanes, RowMatrix.Aligned(addresses)), l.W != 0, l.GX != 0, l.GW != 0 || l.GB != 0);
        }
    }

    private readonly record struct Wide(Partials Partials) : IRowLaunch
    {
        public void Run<TWord, TFormat, TTeam, TCount>(in RowPlan plan)
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
            where TTeam : struct, IRowTeam
            where TCount : struct, ICount
        {
            BackwardLaunch l = Partials.Launch;
            l.Accelerator.Launch(
                Kernels<TWord, TFormat, TTeam, TCount>.WideInput, plan.Shape(l.Rows),
                RowMatrix.View<TWord>(l.GY, l.Rows, l.Columns), RowMatrix.ReadOnly<TWord>(l.X, l.Rows, l.Columns), RowMatrix.ReadOnly<float>(l.W, l.Columns),
                RowMatrix.ReadOnly<float>(l.Mean, l.Rows), RowMatrix.ReadOnly<float>(l.Rstd, l.Rows), RowMatrix.View<TWord>(l.GX, l.Rows, l.Columns), (int)l.Columns,
                plan.Access(l.Columns, TFormat.Lanes, RowMatrix.Aligned(l.GY | l.X | l.W | l.GX)), l.W != 0);
        }
    }

    private static class Kernels<TWord, TFormat, TTeam, TCount>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        public static readonly Kernel Forward = Kernel.Of(LayerNormKernels.Forward<TWord, TFormat, TTeam, TCount>);
        public static readonly Kernel Residual = Kernel.Of(LayerNormKernels.Residual<TWord, TFormat, TTeam, TCount>);
        public static readonly Kernel Backward = Kernel.Of(LayerNormGradientKernels.Backward<TWord, TFormat, TTeam, TCount>);
        public static readonly Kernel WideInput = Kernel.Of(LayerNormGradientKernels.WideInput<TWord, TFormat, TTeam, TCount>);
    }

    private static class ParameterKernel<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Instance = Kernel.Of(LayerNormGradientKernels.WideParameters<TWord, TFormat>);
    }
}
