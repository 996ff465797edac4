using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// The gradients of <see cref="ConvKernels"/> in one pass: going down a tile, a thread computes p[t] again from its window, g = gy f′(p), spreads w[j] g[t]
/// over the K input gradients that row t contributes to (the oldest of which is then complete and written), and adds g[t] x[t − K + 1 + j] and g[t] to its
/// sums. It goes on for K − 1 rows below its tile. The sums of a tile are [K + 1, channels] float32 partials, added in order by <see cref="Parameters"/>.
/// Floor: a read of x and gy, a write of gx.
/// </summary>
internal static class ConvGradientKernels
{
    /// <summary>Warps of a group of <see cref="Parameters"/>.</summary>
    public const int Warps = 8;

    /// <param name="partial">[tiles of all samples, K + 1, channels].</param>
    [Kernel(Name = "causal_conv1d_gradient")]
    public static void Backward<TWord, TFormat>(
        ReadOnlyView<TWord> gy, ReadOnlyView<TWord> x, ReadOnlyView<float> w, ReadOnlyView<float> bias, ReadOnlyView<int> sequences, ReadOnlyView<int> lengths,
        View<TWord> gx, View<float> partial, ConvSizes sizes, [Constant] ConvTraits traits, [Constant] bool input, [Constant] bool parameters)
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
        Registers<float, N64> weight = default, window = default, carry = default, sums = default;
        Registers<float, N8> shift = default, sum = default;
        ConvChannels<TWord, TFormat>.LoadParameter(w, channel, taps, traits.Vectors, ref weight);
        if (traits.Bias)
        {
            ConvChannels<TWord, TFormat>.LoadParameter(bias, channel, 1, traits.Vectors, ref shift);
        }

        carry.Fill(0f);
        sums.Fill(0f);
        sum.Fill(0f);
        ConvChannels<TWord, TFormat>.LoadWindow(x, sequences, default, sizes, traits, sample, first, live, channel, ref window);

        // Rows since a sequence began: those before it get nothing from this one.
        int age = traits.Sequences ? Age(sequences, traits, start, first, sizes.Length) : last;
        for (int t = first; t < end + (input ? last : 0); t += ConvKernels.InFlight)
        {
            Registers<float, N32> rows = default, given = default;
            for (int r = 0; r < ConvKernels.InFlight; r++)
            {
                Loop.Unroll();
                long row = start + traits.Place(Math.Min(t + r, sizes.Length - 1), sizes.Length);
                ConvChannels<TWord, TFormat>.Load(x, (row * sizes.Pitch) + channel, r, traits.Vectors, ref rows);
                ConvChannels<TWord, TFormat>.Load(gy, (row * sizes.Channels) + channel, r, traits.Vectors, ref given);
            }

            for (int r = 0; r < ConvKernels.InFlight; r++)
            {
                Loop.Unroll();
                int row = t + r;
                if (traits.Sequences)
                {
                    age++;
                    if (row < sizes.Length && ConvChannels<TWord, TFormat>.Begins(sequences, traits, start, row, sizes.Length))
                    {
                        age = 0;
                        ConvChannels<TWord, TFormat>.Clear(last, width, ref window);
                    }
                }

                bool counts = traits.Counts(row, live, sizes.Length);
                Registers<float, N8> done = default;
                for (int i = 0; i < width; i++)
                {
                    // Rows that do not count may hold anything, NaN too: both they and their gradients become 0.
                    float own = counts ? rows[(r * 8) + i] : 0f;
                    float g = counts ? given[(r * 8) + i] : 0f;
                    if (traits.Silu)
                    {
                        float p = traits.Bias ? shift[i] : 0f;
                        for (int j = 0; j < last; j++)
                        {
                            Loop.Unroll();
                            p = GpuMath.Fma(weight[(i * taps) + j], window[(j * 8) + i], p);
                        }

                        g = SiluGradient.Apply(GpuMath.Fma(weight[(i * taps) + last], own, p), g);
                    }

                    if (parameters)
                    {
                        float inside = row < end ? g : 0f;
                        for (int j = 0; j < taps; j++)
                        {
                            Loop.Unroll();
                            sums[(j * 8) + i] = GpuMath.Fma(inside, j == last ? own : window[(j * 8) + i], sums[(j * 8) + i]);
                        }

                        sum[i] += inside;
                    }

                    done[i] = Spread(traits, g, age, i, ref weight, ref carry);
                    for (int j = 0; j < last; j++)
                    {
                        Loop.Unroll();
                        window[(j * 8) + i] = j == last - 1 ? own : window[((j + 1) * 8) + i];
                    }
                }

                if (input && row - last >= first && row - last < end)
                {
                    if (traits.Reverse && traits.Lengths)
                    {
                        // Rows that count have looked back at some that do not.
                        bool read = traits.Counts(row - last, live, sizes.Length);
                        for (int i = 0; i < width; i++)
                        {
                            done[i] = read ? done[i] : 0f;
                        }
                    }

                    ConvChannels<TWord, TFormat>.Store(gx, ((start + traits.Place(row - last, sizes.Length)) * sizes.GradientPitch) + channel, traits.Vectors, done);
                }
            }
        }

        if (parameters)
        {
            long tile = (long)Grid.IndexX * (taps + 1) * sizes.Channels;
            for (int j = 0; j < taps; j++)
            {
                Loop.Unroll();
                ConvChannels<TWord, TFormat>.StoreFloats(partial, tile + ((long)j * sizes.Channels) + channel, j, traits.Vectors, ref sums);
            }

            ConvChannels<TWord, TFormat>.StoreFloats(partial, tile + ((long)taps * sizes.Channels) + channel, 0, traits.Vectors, ref sum);
        }
    }

    /// <summary>gw [channels, K] and gbias [channels] from the tiles' partial sums, or added to; either may be absent. Groups of 8 warps, 32 columns of a partial.</summary>
    [Kernel(Name = "causal_conv1d_parameter_gradient")]
    public static void Parameters(
        ReadOnlyView<float> partial, View<float> gw, View<float> gbias, int tiles, int taps, FastDivisor channels, [Constant] bool hasW, [Constant] bool hasBias,
        [Constant] bool accumulateW, [Constant] bool accumulateBias)
    {
        int columns = (taps + 1) * channels.Divisor, column = (Grid.IndexX * Warp.Size) + Warp.Lane;
        float total = ColumnSumKernels.SumOfPartials(partial, tiles, columns, column);
        int tap = channels.Divide(column), channel = column - (tap * channels.Divisor);
        if (Warp.Index == 0 && column < columns)
        {
            if (hasW && tap < taps)
            {
                int at = (channel * taps) + tap;
                gw[at] = accumulateW ? gw[at] + total : total;
            }

            if (hasBias && tap == taps)
            {
                gbias[channel] = accumulateBias ? gbias[channel] + total : total;
            }
        }
    }

    /// <summary>Rows between the beginning of row <paramref name="first"/>'s sequence and the row before it, minus one; counted up to K − 1 back.</summary>
    private static int Age(ReadOnlyView<int> sequences, ConvTraits traits, long sample, int first, int length)
    {
        int age = -1, most = traits.Taps - 1;
        for (int j = 0; j < most; j++)
        {
            Loop.Unroll();
            int row = first - most + j;
            age = row < 0 ? -1 : ConvChannels<float, Float32Format>.Begins(sequences, traits, sample, row, length) ? 0 : age + 1;
        }

        return age;
    }

    /// <summary>Adds w[j]·g to the gradients of the rows that were read with tap j; returns that of the oldest, which is complete.</summary>
    private static float Spread(ConvTraits traits, float g, int age, int i, ref Registers<float, N64> weight, ref Registers<float, N64> carry)
    {
        int taps = traits.Taps;
        float done = 0f;
        for (int j = 0; j < taps; j++)
        {
            Loop.Unroll();
            float reaching = traits.Sequences && age < taps - 1 - j ? 0f : g;
            float sum = GpuMath.Fma(weight[(i * taps) + j], reaching, j == taps - 1 ? 0f : carry[(j * 8) + i]);
            if (j == 0)
            {
                done = sum;
            }
            else
            {
                carry[((j - 1) * 8) + i] = sum;
            }
        }

        return done;
    }
}
