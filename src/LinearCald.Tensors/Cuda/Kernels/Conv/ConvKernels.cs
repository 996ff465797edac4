using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Depthwise causal convolution. A thread has a vector of channels and goes down the rows of a tile; the K − 1 rows before the current one stay in its
/// registers, and four rows are read before the first is used. Tiles overlap by K − 1 rows, which the second-level cache holds. In reverse it goes up the rows.
/// Floor: one read of x, one write of y.
/// </summary>
internal static class ConvKernels
{
    /// <summary>Rows that a thread reads before it uses the first.</summary>
    public const int InFlight = 4;

    /// <summary>y = f(bias + Σ w[j] x[t − K + 1 + j]), in reverse of x[t + K − 1 − j]; grid: tiles of all samples × groups of channels.</summary>
    [Kernel(Name = "causal_conv1d")]
    public static void Forward<TWord, TFormat>(
        ReadOnlyView<TWord> x, ReadOnlyView<float> w, ReadOnlyView<float> bias, ReadOnlyView<int> sequences, ReadOnlyView<int> lengths, View<float> state,
        View<TWord> y, ConvSizes sizes, [Constant] ConvTraits traits)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int width = ConvChannels<TWord, TFormat>.Width(traits.Vectors), taps = traits.Taps, last = taps - 1;
        int channel = ((Grid.IndexY * Group.Size) + Group.Thread) * width;
        if (channel >= sizes.Channels)
        {
            return;
        }

        int sample = sizes.Tiles.Divide(Grid.IndexX);
        int first = (Grid.IndexX - (sample * sizes.Tiles.Divisor)) * sizes.TileRows;
        int end = Math.Min(first + sizes.TileRows, sizes.Length), live = traits.LiveRows(lengths, sample, sizes.Length);
        long start = (long)sample * sizes.Length;
        Registers<float, N64> weight = default, window = default;
        Registers<float, N8> shift = default;
        ConvChannels<TWord, TFormat>.LoadParameter(w, channel, taps, traits.Vectors, ref weight);
        if (traits.Bias)
        {
            ConvChannels<TWord, TFormat>.LoadParameter(bias, channel, 1, traits.Vectors, ref shift);
        }

        ConvChannels<TWord, TFormat>.LoadWindow(x, sequences, state, sizes, traits, sample, first, live, channel, ref window);
        for (int t = first; t < end; t += InFlight)
        {
            Registers<float, N32> rows = default;
            for (int r = 0; r < InFlight; r++)
            {
                Loop.Unroll();
                ConvChannels<TWord, TFormat>.Load(x, ((start + traits.Place(Math.Min(t + r, sizes.Length - 1), sizes.Length)) * sizes.Pitch) + channel, r, traits.Vectors, ref rows);
            }

            for (int r = 0; r < InFlight; r++)
            {
                Loop.Unroll();
                int row = t + r;
                if (traits.Sequences && row < sizes.Length && ConvChannels<TWord, TFormat>.Begins(sequences, traits, start, row, sizes.Length))
                {
                    ConvChannels<TWord, TFormat>.Clear(last, width, ref window);
                }

                bool counts = !traits.Lengths || traits.Counts(row, live, sizes.Length);
                Registers<float, N8> sum = default;
                for (int i = 0; i < width; i++)
                {
                    if (traits.Reverse)
                    {
                        // Rows that do not count come first, and those after them look back at them.
                        rows[(r * 8) + i] = counts ? rows[(r * 8) + i] : 0f;
                    }

                    float s = traits.Bias ? shift[i] : 0f;
                    for (int j = 0; j < last; j++)
                    {
                        Loop.Unroll();
                        s = GpuMath.Fma(weight[(i * taps) + j], window[(j * 8) + i], s);
                    }

                    s = GpuMath.Fma(weight[(i * taps) + last], rows[(r * 8) + i], s);
                    s = traits.Silu ? s * DeviceMath.Sigmoid(s) : s;
                    sum[i] = counts ? s : 0f;
                }

                if (row < end)
                {
                    ConvChannels<TWord, TFormat>.Store(y, ((start + traits.Place(row, sizes.Length)) * sizes.Channels) + channel, traits.Vectors, sum);
                }

                Push(traits, row < Math.Min(live, end), width, r, rows, ref window);
            }
        }

        if (traits.Keeps)
        {
            ConvChannels<TWord, TFormat>.StoreState(state, sizes, traits, sample, channel, ref window);
        }
    }

    /// <summary>The last rows that count become the state; for samples of several tiles, after <see cref="Forward"/>. One thread a channel and sample.</summary>
    [Kernel(Name = "causal_conv1d_state")]
    public static void KeepState<TWord, TFormat>(
        ReadOnlyView<TWord> x, ReadOnlyView<int> sequences, ReadOnlyView<int> lengths, View<float> state, ConvSizes sizes, [Constant] ConvTraits traits)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int channel = ((Grid.IndexY * Group.Size) + Group.Thread) * ConvChannels<TWord, TFormat>.Width(traits.Vectors);
        if (channel < sizes.Channels)
        {
            Registers<float, N64> window = default;
            int sample = Grid.IndexX, live = traits.LiveRows(lengths, sample, sizes.Length);
            ConvChannels<TWord, TFormat>.LoadWindow(x, sequences, state, sizes, traits, sample, live, live, channel, ref window);
            ConvChannels<TWord, TFormat>.StoreState(state, sizes, traits, sample, channel, ref window);
        }
    }

    // Without a state to keep, rows that do not count may enter: nothing that counts comes after them, or they are zeros.
    private static void Push(ConvTraits traits, bool counts, int width, int r, Registers<float, N32> rows, ref Registers<float, N64> window)
    {
        for (int j = 0; j < traits.Taps - 1; j++)
        {
            Loop.Unroll();
            for (int i = 0; i < width; i++)
            {
                float next = j == traits.Taps - 2 ? rows[(r * 8) + i] : window[((j + 1) * 8) + i];
                window[(j * 8) + i] = !traits.Keeps || counts ? next : window[(j * 8) + i];
            }
        }
    }
}
