using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// The convolution of one input channel, the first layer of an encoder of waves: [B, L] with [outputs, K] to [B, T, outputs]. Bound by y: a thread has four neighbouring
/// channels with all their taps in registers (4·K) and goes down the rows of a tile, whose samples lie in shared memory as float32 and are read by all lanes at once. Per
/// four results K reads of shared memory, 4·K products, and the activation. Floor: one write of y; with K = 10 and GELU about 40 instructions a result stand beside it.
/// </summary>
internal static class WaveConvKernels
{
    /// <summary>The most taps that registers take.</summary>
    public const int MostTaps = 16;

    /// <summary>Channels of a thread.</summary>
    public const int Channels = 4;

    /// <summary>Rows of a tile.</summary>
    public const int TileRows = 64;

    /// <summary>Samples that may lie in shared memory: those of a tile are the rows times the stride, and the taps.</summary>
    public const int MostSamples = 8192;

    private const int InFlight = 4;

    /// <summary>y = f(conv(x, w) + bias). Grid: tiles of all samples along x, groups of channels along y.</summary>
    [Kernel(Name = "wave_conv1d")]
    public static void Forward<TWord, TFormat>(
        ReadOnlyView<TWord> x, ReadOnlyView<TWord> w, ReadOnlyView<float> bias, View<TWord> pre, View<TWord> y, WaveConvSizes sizes, [Constant] WaveConvTraits traits)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        Shared<float> samples = Shared.Allocate<float>(traits.Samples);
        int channel = ((Grid.IndexY * Group.Size) + Group.Thread) * Channels, left = sizes.Outputs - channel;
        int sample = sizes.Tiles.Divide(Grid.IndexX), first = (Grid.IndexX - (sample * sizes.Tiles.Divisor)) * TileRows;
        LoadSamples<TWord, TFormat>(x, samples, sizes, traits, sample, first);
        Group.Barrier();
        if (left > 0)
        {
            Registers<float, N64> weight = default;
            for (int i = 0; i < Channels * traits.Taps; i++)
            {
                Loop.Unroll();
                weight[i] = TFormat.Widen(w[((long)channel * traits.Taps) + (traits.Vectors ? i : Math.Min(i, (left * traits.Taps) - 1))]);
            }

            Float4 shift = traits.Bias ? Quad.Load<float, Float32Format>(bias.From(channel), traits.Vectors, left) : default;
            int rows = Math.Min(TileRows, sizes.Rows - first);
            long at = (((long)sample * sizes.Rows) + first) * sizes.Outputs;
            for (int t = 0; t < rows; t++)
            {
                Loop.Keep();
                Shared<float> patch = samples.From(t * sizes.Stride);
                Float4 sum = default;
                for (int k = 0; k < traits.Taps; k++)
                {
                    Loop.Unroll();
                    float value = patch[k];
                    sum = new Float4(
                        GpuMath.Fma(weight[k], value, sum.X),
                        GpuMath.Fma(weight[traits.Taps + k], value, sum.Y),
                        GpuMath.Fma(weight[(2 * traits.Taps) + k], value, sum.Z),
                        GpuMath.Fma(weight[(3 * traits.Taps) + k], value, sum.W));
                }

                long element = at + ((long)t * sizes.Outputs) + channel;
                GemmEpilogue.Finish<TWord, TFormat>(
                    traits.Output, 1f, sum, default, shift, y.From(element), traits.Output.Pre ? pre.From(element) : default, left);
            }
        }
    }

    /// <summary>Partial sums of gw[o, k] = Σ gh[t, o] x[t · stride + k − padding] over the tiles IndexX, IndexX + SizeX, …: partial[IndexX, o · K + k].</summary>
    [Kernel(Name = "wave_conv1d_weight_gradient")]
    public static void WeightGradient<TWord, TFormat>(
        ReadOnlyView<TWord> gh, ReadOnlyView<TWord> x, View<float> partial, WaveConvSizes sizes, int tiles, [Constant] WaveConvTraits traits)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        Shared<float> samples = Shared.Allocate<float>(traits.Samples);
        int channel = ((Grid.IndexY * Group.Size) + Group.Thread) * Channels, left = sizes.Outputs - channel;
        Registers<float, N64> sums = default;
        sums.Fill(0f);
        for (int tile = Grid.IndexX; tile < tiles; tile += Grid.SizeX)
        {
            Loop.Keep();
            int sample = sizes.Tiles.Divide(tile), first = (tile - (sample * sizes.Tiles.Divisor)) * TileRows;
            Group.Barrier();
            LoadSamples<TWord, TFormat>(x, samples, sizes, traits, sample, first);
            Group.Barrier();
            if (left > 0)
            {
                int rows = Math.Min(TileRows, sizes.Rows - first);
                ReadOnlyView<TWord> from = gh.From(((((long)sample * sizes.Rows) + first) * sizes.Outputs) + channel);
                for (int t = 0; t < rows; t += InFlight)
                {
                    Loop.Keep();
                    Registers<Float4, N4> given = default;
                    for (int r = 0; r < InFlight; r++)
                    {
                        Loop.Unroll();
                        given[r] = Quad.Load<TWord, TFormat>(from.From((long)Math.Min(t + r, rows - 1) * sizes.Outputs), traits.Vectors, left);
                    }

                    for (int r = 0; r < InFlight; r++)
                    {
                        Loop.Unroll();
                        Float4 g = t + r < rows ? given[r] : default;
                        Shared<float> patch = samples.From(Math.Min(t + r, rows - 1) * sizes.Stride);
                        for (int k = 0; k < traits.Taps; k++)
                        {
                            Loop.Unroll();
                            float value = patch[k];
                            sums[k] = GpuMath.Fma(g.X, value, sums[k]);
                            sums[traits.Taps + k] = GpuMath.Fma(g.Y, value, sums[traits.Taps + k]);
                            sums[(2 * traits.Taps) + k] = GpuMath.Fma(g.Z, value, sums[(2 * traits.Taps) + k]);
                            sums[(3 * traits.Taps) + k] = GpuMath.Fma(g.W, value, sums[(3 * traits.Taps) + k]);
                        }
                    }
                }
            }
        }

        if (left > 0)
        {
            View<float> to = partial.From(((((long)Grid.IndexX * sizes.Outputs) + channel) * traits.Taps));
            for (int i = 0; i < Channels * traits.Taps; i++)
            {
                Loop.Unroll();
                if (i < left * traits.Taps)
                {
                    to[i] = sums[i];
                }
            }
        }
    }

    // The samples under a tile of rows, zeros where there are none.
    private static void LoadSamples<TWord, TFormat>(ReadOnlyView<TWord> x, Shared<float> samples, WaveConvSizes sizes, WaveConvTraits traits, int sample, int first)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        ReadOnlyView<TWord> from = x.From((long)sample * sizes.Length);
        int start = (first * sizes.Stride) - sizes.Padding;
        for (int i = Group.Thread; i < traits.Samples; i += Group.Size)
        {
            int at = start + i;
            float value = TFormat.Widen(from[Math.Clamp(at, 0, sizes.Length - 1)]);
            samples[i] = (uint)at < (uint)sizes.Length ? value : 0f;
        }
    }
}

/// <summary>What <see cref="WaveConvKernels"/> are told at launch.</summary>
internal struct WaveConvSizes
{
    /// <summary>Samples of a wave.</summary>
    public int Length;

    /// <summary>Zeros before the first of them.</summary>
    public int Padding;

    /// <summary>Samples from row to row.</summary>
    public int Stride;

    /// <summary>Rows of a wave's result.</summary>
    public int Rows;

    /// <summary>Output channels.</summary>
    public int Outputs;

    /// <summary>Tiles of a wave's rows.</summary>
    public FastDivisor Tiles;
}

/// <summary>What <see cref="WaveConvKernels"/> are compiled for; all fields are 32-bit.</summary>
/// <param name="Taps">K, at most <see cref="WaveConvKernels.MostTaps"/>.</param>
/// <param name="Samples">Of a tile, in shared memory.</param>
/// <param name="Output">What happens to the sums.</param>
internal readonly record struct WaveConvTraits(int Taps, int Samples, GemmOutput Output)
{
    /// <summary>There is a bias.</summary>
    public bool Bias => Output.Float32Bias;

    /// <summary>Four neighbouring channels are read and written at once.</summary>
    public bool Vectors => Output.Vector;
}
