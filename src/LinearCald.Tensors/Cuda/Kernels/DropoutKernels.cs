using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Dropout: y = x·f with f = 1/(1 − p) with probability 1 − p, else 0: element i is dropped when word i of the Philox stream is below p·2³². The mask is
/// the CPU's bit for bit and never stored. A thread makes as many neighbouring blocks as a vector has elements, and so has the words of four vectors, 16
/// elements apart. Floor: one read, one write; about 25 integer operations an element hide behind them.
/// </summary>
internal static class DropoutKernels
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>Vectors of a thread: the words of a block.</summary>
    public const int Vectors = 4;

    /// <summary>y[i] = x[i]·f[i]; y may be x.</summary>
    /// <param name="count">Elements.</param>
    /// <param name="group">Index of the first element in its stream, divided by 64.</param>
    /// <param name="threshold">p·2³².</param>
    /// <param name="kept">1/(1 − p).</param>
    [Kernel(Name = "dropout")]
    public static void Apply<TWord, TFormat>(
        View<TWord> x, View<TWord> y, int count, DeviceRandomKey key, ulong group, uint threshold, float kept, [Constant] bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        // A group of 64 elements is the work of 16 / Lanes threads; thread j of them has elements 16 k + Lanes j … for k = 0 … 3.
        int perGroup = 16 / TFormat.Lanes;
        int thread = Grid.ThreadX;
        int own = (int)((uint)thread / (uint)perGroup);
        int lane = (int)((uint)thread % (uint)perGroup) * TFormat.Lanes;
        int first = (own * Philox.GroupSize) + lane;
        if (first >= count)
        {
            return;
        }

        // Read before the words are made, whose arithmetic then hides the way to memory.
        bool whole = vectors && first + (16 * (Vectors - 1)) + TFormat.Lanes <= count;
        View<UInt4> xs = x.As<UInt4>(), ys = y.As<UInt4>();
        int from = (int)((uint)first / (uint)TFormat.Lanes);
        Registers<UInt4, N4> loaded = default;
        if (whole)
        {
            for (int k = 0; k < Vectors; k++)
            {
                loaded[k] = xs[from + (k * perGroup)];
            }
        }

        ulong stream = key.Stream;
        Registers<uint, N32> words = default;
        for (int i = 0; i < TFormat.Lanes; i++)
        {
            UInt4 block = DevicePhilox.Block(key.Seed, stream, ((group + (uint)own) << 4) + (uint)(lane + i));
            words[i] = block.X;
            words[8 + i] = block.Y;
            words[16 + i] = block.Z;
            words[24 + i] = block.W;
        }

        if (whole)
        {
            for (int k = 0; k < Vectors; k++)
            {
                Registers<float, N8> values = TFormat.Unpack(loaded[k]);
                for (int i = 0; i < TFormat.Lanes; i++)
                {
                    values[i] = values[i] * (words[(8 * k) + i] >= threshold ? kept : 0f);
                }

                ys[from + (k * perGroup)] = TFormat.Pack(values);
            }
        }
        else
        {
            for (int k = 0; k < Vectors; k++)
            {
                for (int i = 0; i < TFormat.Lanes; i++)
                {
                    int at = first + (16 * k) + i;
                    if (at < count)
                    {
                        y[at] = TFormat.Narrow(TFormat.Widen(x[at]) * (words[(8 * k) + i] >= threshold ? kept : 0f));
                    }
                }
            }
        }
    }
}
