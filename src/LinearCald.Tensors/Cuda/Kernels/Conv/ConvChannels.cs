using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// The neighbouring channels that one thread works on: a vector of 16 bytes, or one element. In registers each row takes eight places.
/// </summary>
internal static class ConvChannels<TWord, TFormat>
    where TWord : unmanaged
    where TFormat : struct, IElementFormat<TWord>
{
    /// <summary>Channels of a thread.</summary>
    public static int Width(bool vectors) => vectors ? TFormat.Lanes : 1;

    /// <summary>Reads the channels from an element on into row <paramref name="place"/>.</summary>
    public static void Load<TCount>(ReadOnlyView<TWord> x, long element, int place, bool vectors, ref Registers<float, TCount> to)
        where TCount : struct, ICount
    {
        if (vectors)
        {
            Registers<float, N8> values = TFormat.Unpack(x.From(element).As<UInt4>()[0]);
            for (int i = 0; i < TFormat.Lanes; i++)
            {
                to[(place * 8) + i] = values[i];
            }
        }
        else
        {
            to[place * 8] = TFormat.Widen(x[element]);
        }
    }

    /// <summary>Writes the first row of registers.</summary>
    public static void Store(View<TWord> y, long element, bool vectors, Registers<float, N8> values)
    {
        if (vectors)
        {
            View<UInt4> vector = y.From(element).As<UInt4>();
            vector[0] = TFormat.Pack(values);
        }
        else
        {
            y[element] = TFormat.Narrow(values[0]);
        }
    }

    /// <summary>Reads float32 values that belong to the thread's channels, <paramref name="each"/> a channel, channel by channel.</summary>
    public static void LoadParameter<TCount>(ReadOnlyView<float> parameter, int channel, int each, bool vectors, ref Registers<float, TCount> to)
        where TCount : struct, ICount
    {
        if (vectors)
        {
            ReadOnlyView<Float4> quads = parameter.From((long)channel * each).As<Float4>();
            for (int q = 0; q < TFormat.Lanes / 4 * each; q++)
            {
                Loop.Unroll();
                Float4 quad = quads[q];
                to[q * 4] = quad.X;
                to[(q * 4) + 1] = quad.Y;
                to[(q * 4) + 2] = quad.Z;
                to[(q * 4) + 3] = quad.W;
            }
        }
        else
        {
            for (int i = 0; i < each; i++)
            {
                Loop.Unroll();
                to[i] = parameter[((long)channel * each) + i];
            }
        }
    }

    /// <summary>Writes row <paramref name="place"/> of registers as float32.</summary>
    public static void StoreFloats<TCount>(View<float> y, long element, int place, bool vectors, ref Registers<float, TCount> values)
        where TCount : struct, ICount
    {
        if (vectors)
        {
            View<Float4> quads = y.From(element).As<Float4>();
            for (int q = 0; q < TFormat.Lanes / 4; q++)
            {
                int at = (place * 8) + (q * 4);
                quads[q] = new Float4(values[at], values[at + 1], values[at + 2], values[at + 3]);
            }
        }
        else
        {
            y[element] = values[place * 8];
        }
    }

    /// <summary>Whether a sequence begins with row <paramref name="row"/> of a sample.</summary>
    public static bool Begins(ReadOnlyView<int> sequences, ConvTraits traits, long sample, int row, int length) =>
        row > 0 && sequences[sample + traits.Place(row, length)] != sequences[sample + traits.Place(row - 1, length)];

    /// <summary>
    /// The rows that row <paramref name="first"/> reads besides itself, oldest at place 0: zeros where they belong to another sequence, do not count
    /// (<paramref name="live"/>), or lie before row 0, where the state is, if there is one.
    /// </summary>
    public static void LoadWindow(
        ReadOnlyView<TWord> x, ReadOnlyView<int> sequences, View<float> state, ConvSizes sizes, ConvTraits traits, int sample, int first, int live, int channel,
        ref Registers<float, N64> window)
    {
        int width = Width(traits.Vectors), kept = traits.Taps - 1;
        long start = (long)sample * sizes.Length;
        for (int j = 0; j < kept; j++)
        {
            Loop.Unroll();
            int row = first - kept + j;
            if (traits.Sequences && j > 0 && Begins(sequences, traits, start, row, sizes.Length))
            {
                Clear(j, width, ref window);
            }

            // Read in any case, so that no branch stands between the loads.
            Load(x, ((start + traits.Place(Math.Clamp(row, 0, sizes.Length - 1), sizes.Length)) * sizes.Pitch) + channel, j, traits.Vectors, ref window);
            bool inside = traits.Counts(row, live, sizes.Length);
            for (int i = 0; i < width; i++)
            {
                window[(j * 8) + i] = inside ? window[(j * 8) + i] : 0f;
            }

            if (traits.History && row < 0)
            {
                long at = ((((long)sample * kept) + kept + row) * sizes.Channels) + channel;
                for (int i = 0; i < width; i++)
                {
                    window[(j * 8) + i] = state[at + i];
                }
            }
        }
    }

    /// <summary>Writes the window to the state.</summary>
    public static void StoreState(View<float> state, ConvSizes sizes, ConvTraits traits, int sample, int channel, ref Registers<float, N64> window)
    {
        int kept = traits.Taps - 1;
        for (int j = 0; j < kept; j++)
        {
            Loop.Unroll();
            StoreFloats(state, ((((long)sample * kept) + j) * sizes.Channels) + channel, j, traits.Vectors, ref window);
        }
    }

    /// <summary>Makes the first rows of a window zero: a sequence begins.</summary>
    public static void Clear(int rows, int width, ref Registers<float, N64> window)
    {
        for (int j = 0; j < rows; j++)
        {
            Loop.Unroll();
            for (int i = 0; i < width; i++)
            {
                window[(j * 8) + i] = 0f;
            }
        }
    }
}
