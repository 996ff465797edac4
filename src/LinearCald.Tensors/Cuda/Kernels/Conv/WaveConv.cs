using LinearCald.Gpu;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of <see cref="WaveConvKernels"/>.</summary>
internal static class WaveConv
{
    private const int MostThreads = 128;
    private const int GroupsPerMultiprocessor = 4;

    /// <summary>y = f(conv(x, w) + bias).</summary>
    public static void Forward(Accelerator accelerator, in Conv1dProblem p, nint x, nint w, nint bias, Activation f, nint pre, nint y) =>
        RowMatrix.Dispatch(p.Type, "Conv1d", new ForwardLaunch(accelerator, p, x, w, bias, f, pre, y), (long)p.Batch * p.OutputLength, p.Outputs);

    /// <summary>gw [outputs, taps], float32 or of x's type.</summary>
    public static void WeightGradient(Accelerator accelerator, in Conv1dProblem p, nint gh, nint x, DType gwType, nint gw) =>
        RowMatrix.Dispatch(p.Type, "Conv1d", new GradientLaunch(accelerator, p, gh, x, gwType, gw), (long)p.Batch * p.OutputLength, p.Outputs);

    private static WaveConvSizes Sizes(in Conv1dProblem p) => new()
    {
        Length = p.Length,
        Padding = p.Padding,
        Stride = p.Stride,
        Rows = p.OutputLength,
        Outputs = p.Outputs,
        Tiles = new FastDivisor((p.OutputLength + WaveConvKernels.TileRows - 1) / WaveConvKernels.TileRows),
    };

    private static WaveConvTraits Traits(in Conv1dProblem p, int elementBytes, nint addresses, Activation f, GemmSteps steps) => new(
        p.Taps, checked(((WaveConvKernels.TileRows - 1) * p.Stride) + p.Taps),
        new GemmOutput(f, p.Outputs % 4 == 0 && addresses % (4 * elementBytes) == 0 ? steps | GemmSteps.Vector : steps));

    private static (int Groups, int Threads) Across(in Conv1dProblem p)
    {
        int threads = (p.Outputs + WaveConvKernels.Channels - 1) / WaveConvKernels.Channels, groups = (threads + MostThreads - 1) / MostThreads;
        return (groups, ((((threads + groups - 1) / groups) + Warp.Size - 1) / Warp.Size) * Warp.Size);
    }

    private readonly record struct ForwardLaunch(Accelerator Accelerator, Conv1dProblem Problem, nint X, nint W, nint Bias, Activation F, nint Pre, nint Y) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            (Accelerator accelerator, Conv1dProblem p, nint x, nint w, nint bias, Activation f, nint pre, nint y) = this;
            GemmSteps steps = (bias != 0 ? GemmSteps.Float32Bias : GemmSteps.None) | (pre != 0 ? GemmSteps.Pre : GemmSteps.None);
            bool biased = bias % (4 * sizeof(float)) == 0;
            WaveConvTraits traits = Traits(p, TFormat.Type.Size(), biased ? y | pre : 1, f, steps);
            WaveConvSizes sizes = Sizes(p);
            (int groups, int threads) = Across(p);
            long rows = (long)p.Batch * p.OutputLength;
            accelerator.Launch(
                Kernels<TWord, TFormat>.Forward, new LaunchShape(new Index3(checked(p.Batch * sizes.Tiles.Divisor), groups), threads),
                RowMatrix.ReadOnly<TWord>(x, p.Batch, p.Length), RowMatrix.ReadOnly<TWord>(w, p.Outputs, p.Taps), RowMatrix.ReadOnly<float>(bias, p.Outputs),
                RowMatrix.View<TWord>(pre, rows, p.Outputs), RowMatrix.View<TWord>(y, rows, p.Outputs), sizes, traits);
        }
    }

    private readonly record struct GradientLaunch(Accelerator Accelerator, Conv1dProblem Problem, nint GH, nint X, DType GWType, nint GW) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            (Accelerator accelerator, Conv1dProblem p, nint gh, nint x, DType gwType, nint gw) = this;
            WaveConvTraits traits = Traits(p, TFormat.Type.Size(), gh, Activation.None, GemmSteps.None);
            WaveConvSizes sizes = Sizes(p);
            (int across, int threads) = Across(p);
            int tiles = checked(p.Batch * sizes.Tiles.Divisor);
            int splits = Math.Min(tiles, Math.Max(1, accelerator.Limits.Multiprocessors * GroupsPerMultiprocessor / across));
            long columns = (long)p.Outputs * p.Taps;
            using DeviceBuffer<float> partial = accelerator.Allocate<float>(splits * columns, "partial gradients of a convolution");
            accelerator.Launch(
                Kernels<TWord, TFormat>.Gradient, new LaunchShape(new Index3(splits, across), threads),
                RowMatrix.ReadOnly<TWord>(gh, (long)p.Batch * p.OutputLength, p.Outputs), RowMatrix.ReadOnly<TWord>(x, p.Batch, p.Length), partial.View, sizes, tiles, traits);
            ColumnSum.AddPartials(accelerator, gwType, partial.View, gw, splits, columns, accumulate: false);
        }
    }

    private static class Kernels<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Forward = Kernel.Of(WaveConvKernels.Forward<TWord, TFormat>);
        public static readonly Kernel Gradient = Kernel.Of(WaveConvKernels.WeightGradient<TWord, TFormat>);
    }
}
