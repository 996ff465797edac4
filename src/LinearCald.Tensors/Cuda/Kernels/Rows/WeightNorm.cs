using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of <see cref="WeightNormKernels"/> on float32 matrices [rows, taps] at device addresses.</summary>
internal static class WeightNorm
{
    private const int Threads = WeightNormKernels.Warps * Warp.Size;
    private const int GroupsPerMultiprocessor = 8;

    /// <summary>w = g v / norm; norm [taps] is kept for the gradient.</summary>
    public static void Forward(Accelerator accelerator, nint v, nint g, nint w, nint norm, long rows, int taps)
    {
        if (rows == 0 || taps == 0)
        {
            return;
        }

        Plan plan = Plan.For(accelerator, rows, taps, v | g | w | norm);
        using DeviceBuffer<float> partial = plan.Sums(accelerator, v, v);
        accelerator.Launch(s_norm, plan.Columns, partial.ReadOnly, RowMatrix.View<float>(norm, taps), plan.Splits, taps);
        accelerator.Launch(
            s_apply, plan.Shape, RowMatrix.ReadOnly<float>(v, rows, taps), RowMatrix.ReadOnly<float>(g, taps), RowMatrix.ReadOnly<float>(norm, taps),
            RowMatrix.View<float>(w, rows, taps), (int)rows, taps, plan.Vectors);
    }

    /// <summary>gv and gg, of which either may be 0.</summary>
    public static void Backward(
        Accelerator accelerator, nint gw, nint v, nint g, nint norm, nint gv, bool accumulateV, nint gg, bool accumulateG, long rows, int taps)
    {
        if (rows == 0 || taps == 0)
        {
            return;
        }

        Plan plan = Plan.For(accelerator, rows, taps, gw | v | g | norm | gv);
        using DeviceBuffer<float> partial = plan.Sums(accelerator, v, gw), slope = accelerator.Allocate<float>(taps, "slopes of a weight norm");
        accelerator.Launch(
            s_slope, plan.Columns, partial.ReadOnly, RowMatrix.ReadOnly<float>(norm, taps), slope.View, RowMatrix.View<float>(gg, taps), plan.Splits, taps, gg != 0, accumulateG);
        if (gv != 0)
        {
            accelerator.Launch(
                s_direction, plan.Shape, RowMatrix.ReadOnly<float>(gw, rows, taps), RowMatrix.ReadOnly<float>(v, rows, taps), RowMatrix.ReadOnly<float>(g, taps),
                RowMatrix.ReadOnly<float>(norm, taps), slope.ReadOnly, RowMatrix.View<float>(gv, rows, taps), (int)rows, taps, accumulateV, plan.Vectors);
        }
    }

    private static readonly Kernel s_sums = Kernel.Of(WeightNormKernels.Sums);
    private static readonly Kernel s_norm = Kernel.Of(WeightNormKernels.Norm);
    private static readonly Kernel s_slope = Kernel.Of(WeightNormKernels.Slope);
    private static readonly Kernel s_apply = Kernel.Of(WeightNormKernels.Apply);
    private static readonly Kernel s_direction = Kernel.Of(WeightNormKernels.Direction);

    /// <summary>How a matrix is shared out.</summary>
    private readonly record struct Plan(int Rows, int Taps, int Strips, int Splits, bool Vectors)
    {
        public LaunchShape Shape => new(new Index3(Strips, Splits), Threads);

        /// <summary>Of the kernels that join the splits.</summary>
        public LaunchShape Columns => new((Taps + Warp.Size - 1) / Warp.Size, Threads);

        public static Plan For(Accelerator accelerator, long rows, int taps, nint addresses)
        {
            bool vectors = taps % 4 == 0 && RowMatrix.Aligned(addresses);
            int strip = Warp.Size * (vectors ? 4 : 1), strips = (taps + strip - 1) / strip;
            long wanted = (accelerator.Limits.Multiprocessors * GroupsPerMultiprocessor / strips) + 1;
            return new Plan(checked((int)rows), taps, strips, (int)Math.Min(wanted, (rows + WeightNormKernels.Warps - 1) / WeightNormKernels.Warps), vectors);
        }

        /// <summary>Σ v · u of each split.</summary>
        public DeviceBuffer<float> Sums(Accelerator accelerator, nint v, nint u)
        {
            DeviceBuffer<float> partial = accelerator.Allocate<float>((long)Splits * Taps, "partial sums of a weight norm");
            accelerator.Launch(s_sums, Shape, RowMatrix.ReadOnly<float>(v, Rows, Taps), RowMatrix.ReadOnly<float>(u, Rows, Taps), partial.View, Rows, Taps, Vectors);
            return partial;
        }
    }
}
