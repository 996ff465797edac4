using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>What the rotary kernel is told at launch.</summary>
internal struct RotarySizes
{
    /// <summary>Samples times positions.</summary>
    public int Rows;

    public int Heads;

    /// <summary>Elements of a head.</summary>
    public int Size;

    /// <summary>Elements of a head that are turned: its first.</summary>
    public int Rotary;

    /// <summary>Position of row 0 of a sample.</summary>
    public int First;

    /// <summary>ln of the ratio of neighbouring pairs' angles: −2 ln θ / Rotary.</summary>
    public double Step;

    /// <summary>Positions of a sample.</summary>
    public FastDivisor Length;

    /// <summary>Vectors, or elements, of a head.</summary>
    public FastDivisor Vectors;

    /// <summary>Threads that share the heads of a row and vector.</summary>
    public FastDivisor Slots;
}

/// <summary>
/// Rows [heads][q, k, v][size] to q, k and v rows, q and k turned; and back. A thread has one vector of a head in some of a row's heads, so that it computes its
/// angles once. Angles are float64 parts of a turn: as good at position 1,000,000 as at 1. Floor: one read and one write of the rows; the turned part is read
/// twice, the second time from the first-level cache.
/// </summary>
internal static class RotaryKernels
{
    /// <param name="x">[rows, heads · 3 · size], or [3, rows, heads · size] to <paramref name="join"/>.</param>
    /// <param name="y">The other.</param>
    [Kernel(Name = "split_heads_rotary")]
    public static void Turn<TWord, TFormat>(ReadOnlyView<TWord> x, View<TWord> y, RotarySizes sizes, [Constant] bool vectors, [Constant] bool join)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int width = vectors ? TFormat.Lanes : 1, unit = Grid.ThreadX;
        int rest = sizes.Vectors.Divide(unit), at = (unit - (rest * sizes.Vectors.Divisor)) * width;
        int row = sizes.Slots.Divide(rest), slot = rest - (row * sizes.Slots.Divisor);
        if (row >= sizes.Rows)
        {
            return;
        }

        Registers<float, N8> cosine = default, sine = default;
        cosine.Fill(1f);
        sine.Fill(0f);
        bool turned = at < sizes.Rotary;
        int half = sizes.Rotary / 2, partner = at < half ? at + half : at - half;
        if (turned)
        {
            double position = sizes.First + (row - (sizes.Length.Divide(row) * sizes.Length.Divisor));
            for (int i = 0; i < width; i++)
            {
                double turns = position * (GpuMath.Exp(sizes.Step * (Math.Min(at, partner) + i)) * 0.15915494309189535);
                float halfTurns = (float)(2.0 * (turns - Math.Round(turns)));
                float sin = GpuMath.SinPi(halfTurns);
                cosine[i] = GpuMath.CosPi(halfTurns);
                sine[i] = at < half == join ? sin : -sin;
            }
        }

        long features = (long)sizes.Heads * sizes.Size;
        for (int head = slot; head < sizes.Heads; head += sizes.Slots.Divisor)
        {
            // All is read before anything is written.
            Registers<float, N32> own = default, other = default;
            for (int part = 0; part < 3; part++)
            {
                Loop.Unroll();
                long from = join ? Apart(part, row, head, features, sizes) : Together(part, row, head, features, sizes);
                ConvChannels<TWord, TFormat>.Load(x, from + at, part, vectors, ref own);
                if (part < 2 && turned)
                {
                    ConvChannels<TWord, TFormat>.Load(x, from + partner, part, vectors, ref other);
                }
            }

            for (int part = 0; part < 3; part++)
            {
                Loop.Unroll();
                Registers<float, N8> values = default;
                for (int i = 0; i < width; i++)
                {
                    float value = own[(part * 8) + i];
                    values[i] = part < 2 && turned ? GpuMath.Fma(value, cosine[i], other[(part * 8) + i] * sine[i]) : value;
                }

                long to = join ? Together(part, row, head, features, sizes) : Apart(part, row, head, features, sizes);
                ConvChannels<TWord, TFormat>.Store(y, to + at, vectors, values);
            }
        }
    }

    private static long Together(int part, int row, int head, long features, in RotarySizes sizes) => (row * 3 * features) + (((head * 3) + part) * sizes.Size);

    private static long Apart(int part, int row, int head, long features, in RotarySizes sizes) =>
        ((((long)part * sizes.Rows) + row) * features) + (head * sizes.Size);
}
