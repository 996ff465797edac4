using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>A depthwise convolution of [Batch, Length, Channels] at device addresses; 0 stands for what is absent.</summary>
/// <param name="Type">Of x, y and their gradients; all else is float32 or int32.</param>
/// <param name="Reverse">Whether rows look ahead instead of back.</param>
/// <param name="X">Rows at <paramref name="Pitch"/>, samples Length rows apart.</param>
/// <param name="W">[Channels, Taps].</param>
/// <param name="Sequences">[Batch, Length].</param>
/// <param name="Lengths">[Batch].</param>
internal readonly record struct ConvProblem(
    DType Type, int Batch, int Length, int Channels, int Taps, bool Silu, bool Reverse, nint X, long Pitch, nint W, nint Bias, nint Sequences, nint Lengths);

/// <summary>Launches of the convolution kernels.</summary>
internal static class CausalConv
{
    private const string Name = "CausalConv1d";
    private const int LongTile = 64;
    private const int ShortTile = 16;
    private const int Waves = 4;

    /// <summary>y [Batch, Length, Channels] contiguous.</summary>
    /// <param name="state">[Batch, Taps − 1, Channels] float32, updated; or 0.</param>
    public static void Forward(Accelerator accelerator, in ConvProblem problem, nint state, nint y) =>
        RowMatrix.Dispatch(problem.Type, Name, new ForwardLaunch(accelerator, problem, state, y), (long)problem.Batch * problem.Length, problem.Channels);

    /// <summary>gx (rows at <paramref name="gxPitch"/>), gw and gbias, of which any may be 0.</summary>
    public static void Backward(
        Accelerator accelerator, in ConvProblem problem, nint gy, nint gx, long gxPitch, nint gw, bool accumulateW, nint gbias, bool accumulateBias) =>
        RowMatrix.Dispatch(
            problem.Type, Name, new BackwardLaunch(accelerator, problem, gy, gx, gxPitch, gw, accumulateW, gbias, accumulateBias), (long)problem.Batch * problem.Length, problem.Channels);

    /// <summary>A row of groups over the channels, as few threads idle as can be.</summary>
    private static (int Groups, int Threads) Across(int channels, int width, int mostThreads)
    {
        int threads = (channels + width - 1) / width;
        int groups = (threads + mostThreads - 1) / mostThreads;
        int each = (threads + groups - 1) / groups;
        return (groups, (each + Warp.Size - 1) / Warp.Size * Warp.Size);
    }

    // Tiles that make a few waves of groups, but long ones, since they overlap; shorter ones only where the device would not be full.
    private static ConvSizes Sizes(in ConvProblem problem, Accelerator accelerator, int groupsAcross, int groupsAtOnce, long gradientPitch)
    {
        long wave = Math.Max(1, (long)accelerator.Limits.Multiprocessors * groupsAtOnce / ((long)problem.Batch * groupsAcross));
        long tiles = Math.Max(Math.Min(wave * Waves, (problem.Length + LongTile - 1) / LongTile), Math.Min(wave, (problem.Length + ShortTile - 1) / ShortTile));
        int rows = (int)(((problem.Length + tiles - 1) / tiles) + ConvKernels.InFlight - 1) / ConvKernels.InFlight * ConvKernels.InFlight;
        return new ConvSizes
        {
            Length = problem.Length,
            Channels = problem.Channels,
            Pitch = problem.Pitch,
            GradientPitch = gradientPitch,
            TileRows = rows,
            Tiles = new FastDivisor((problem.Length + rows - 1) / rows),
        };
    }

    private static ConvTraits Traits(in ConvProblem problem, int lanes, nint addresses, long pitches)
    {
        bool vectors = problem.Channels % lanes == 0 && pitches % lanes == 0 && RowMatrix.Aligned(problem.X | problem.W | problem.Bias | addresses);
        return new ConvTraits(problem.Taps, vectors, problem.Silu, problem.Bias != 0, problem.Sequences != 0, problem.Lengths != 0, problem.Reverse);
    }

    private static ReadOnlyView<TWord> Input<TWord>(in ConvProblem problem)
        where TWord : unmanaged => RowMatrix.ReadOnly<TWord>(problem.X, Spanned(problem, problem.Pitch));

    private static long Spanned(in ConvProblem problem, long pitch) => ((((long)problem.Batch * problem.Length) - 1) * pitch) + problem.Channels;

    private static ReadOnlyView<float> Weights(in ConvProblem problem) => RowMatrix.ReadOnly<float>(problem.W, problem.Channels, problem.Taps);

    private readonly record struct ForwardLaunch(Accelerator Accelerator, ConvProblem Problem, nint State, nint Y) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            (Accelerator accelerator, ConvProblem p, nint state, nint y) = this;
            ConvTraits traits = Traits(p, TFormat.Lanes, state | y, p.Pitch);
            (int across, int threads) = Across(p.Channels, ConvChannels<TWord, TFormat>.Width(traits.Vectors), 256);
            ConvSizes sizes = Sizes(p, accelerator, across, 4, p.Pitch);
            bool kept = state != 0 && p.Taps > 1, single = sizes.Tiles.Divisor == 1;
            traits = traits with { History = kept };
            ReadOnlyView<int> sequences = RowMatrix.ReadOnly<int>(p.Sequences, p.Batch, p.Length), lengths = RowMatrix.ReadOnly<int>(p.Lengths, p.Batch);
            View<float> states = RowMatrix.View<float>(state, p.Batch, (p.Taps - 1L) * p.Channels);
            accelerator.Launch(
                Kernels<TWord, TFormat>.Forward, new LaunchShape(new Index3(checked(p.Batch * sizes.Tiles.Divisor), across), threads),
                Input<TWord>(p), Weights(p), RowMatrix.ReadOnly<float>(p.Bias, p.Channels), sequences, lengths, states,
                RowMatrix.View<TWord>(y, (long)p.Batch * p.Length, p.Channels), sizes, traits with { Keeps = kept && single });
            if (kept && !single)
            {
                accelerator.Launch(
                    Kernels<TWord, TFormat>.KeepState, new LaunchShape(new Index3(p.Batch, across), threads), Input<TWord>(p), sequences, lengths, states, sizes, traits);
            }
        }
    }

    private readonly record struct BackwardLaunch(
        Accelerator Accelerator, ConvProblem Problem, nint GY, nint GX, long GXPitch, nint GW, bool AccumulateW, nint GBias, bool AccumulateBias) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            (Accelerator accelerator, ConvProblem p, nint gy, nint gx, long gxPitch, nint gw, bool accumulateW, nint gbias, bool accumulateBias) = this;
            ConvTraits traits = Traits(p, TFormat.Lanes, gy | gx, p.Pitch | gxPitch);
            (int across, int threads) = Across(p.Channels, ConvChannels<TWord, TFormat>.Width(traits.Vectors), 128);
            ConvSizes sizes = Sizes(p, accelerator, across, TFormat.Lanes == 4 ? 4 : 2, gxPitch);
            int tiles = checked(p.Batch * sizes.Tiles.Divisor), columns = checked((p.Taps + 1) * p.Channels);
            bool parameters = gw != 0 || gbias != 0;
            using DeviceBuffer<float>? partial = parameters ? accelerator.Allocate<float>((long)tiles * columns, "partial gradients of a convolution") : null;
            View<float> partials = partial?.View ?? default;
            accelerator.Launch(
                Kernels<TWord, TFormat>.Backward, new LaunchShape(new Index3(tiles, across), threads),
                RowMatrix.ReadOnly<TWord>(gy, (long)p.Batch * p.Length, p.Channels), Input<TWord>(p), Weights(p), RowMatrix.ReadOnly<float>(p.Bias, p.Channels),
                RowMatrix.ReadOnly<int>(p.Sequences, p.Batch, p.Length), RowMatrix.ReadOnly<int>(p.Lengths, p.Batch),
                RowMatrix.View<TWord>(gx, Spanned(p, gxPitch)), partials, sizes, traits, gx != 0, parameters);
            if (parameters)
            {
                accelerator.Launch(
                    s_parameters, new LaunchShape((columns + Warp.Size - 1) / Warp.Size, ConvGradientKernels.Warps * Warp.Size), (ReadOnlyView<float>)partials,
                    RowMatrix.View<float>(gw, p.Channels, p.Taps), RowMatrix.View<float>(gbias, p.Channels), tiles, p.Taps, new FastDivisor(p.Channels),
                    gw != 0, gbias != 0, accumulateW, accumulateBias);
            }
        }
    }

    private static readonly Kernel s_parameters = Kernel.Of(ConvGradientKernels.Parameters);

    private static class Kernels<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Forward = Kernel.Of(ConvKernels.Forward<TWord, TFormat>);
        public static readonly Kernel KeepState = Kernel.Of(ConvKernels.KeepState<TWord, TFormat>);
        public static readonly Kernel Backward = Kernel.Of(ConvGradientKernels.Backward<TWord, TFormat>);
    }
}
