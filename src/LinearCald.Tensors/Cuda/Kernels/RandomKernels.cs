using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Uniform and normal numbers out of Philox words, number for number those of the CPU: each takes two words, of which 53 bits are used, and is computed in
/// float64. Normal numbers come in pairs (Box and Muller 1958). A thread makes four neighbouring blocks: the words of four pairs.
/// Bound by float64 arithmetic, not by memory: initial values are made once.
/// </summary>
internal static class RandomKernels
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>Numbers that a thread makes.</summary>
    public const int NumbersAThread = 8;

    /// <summary>y[i] = offset + factor · (number i of the stream): uniform in [0, 1), or normal.</summary>
    /// <param name="group">Index of the first number in its stream, divided by 32.</param>
    [Kernel(Name = "random")]
    public static void Make<TWord, TRounding>(
        View<TWord> y, int count, double offset, double factor, ulong seed, ulong stream, ulong group, [Constant] bool normal)
        where TWord : unmanaged
        where TRounding : struct, IRounding<TWord>
    {
        // Four threads share a group of 32 numbers; thread j has numbers 8 k + 2 j and the next, for k = 0 … 3.
        int thread = Grid.ThreadX;
        int own = thread >> 2, lane = thread & 3;
        int first = (own * 32) + (2 * lane);
        ulong block = ((group + (uint)own) << 4) + (uint)(4 * lane);
        UInt4 a = DevicePhilox.Block(seed, stream, block);
        UInt4 b = DevicePhilox.Block(seed, stream, block + 1);
        UInt4 c = DevicePhilox.Block(seed, stream, block + 2);
        UInt4 d = DevicePhilox.Block(seed, stream, block + 3);
        Pair<TWord, TRounding>(y, first, count, Unit(a.X, b.X), Unit(c.X, d.X), offset, factor, normal);
        Pair<TWord, TRounding>(y, first + 8, count, Unit(a.Y, b.Y), Unit(c.Y, d.Y), offset, factor, normal);
        Pair<TWord, TRounding>(y, first + 16, count, Unit(a.Z, b.Z), Unit(c.Z, d.Z), offset, factor, normal);
        Pair<TWord, TRounding>(y, first + 24, count, Unit(a.W, b.W), Unit(c.W, d.W), offset, factor, normal);
    }

    /// <summary>53 bits as a number in [0, 1).</summary>
    private static double Unit(uint high, uint low)
    {
        long bits = (long)((((ulong)high << 32) | low) >> 11);
        return bits * (1.0 / (1L << 53));
    }

    private static void Pair<TWord, TRounding>(View<TWord> y, int i, int count, double u, double v, double offset, double factor, bool normal)
        where TWord : unmanaged
        where TRounding : struct, IRounding<TWord>
    {
        if (normal)
        {
            double radius = Math.Sqrt(-2.0 * GpuMath.Log(1.0 - u));
            SinCosTurn(v, out double sin, out double cos);
            u = radius * cos;
            v = radius * sin;
        }

        if (i < count)
        {
            y[i] = TRounding.Round(offset + (factor * u));
        }

        if (i + 1 < count)
        {
            y[i + 1] = TRounding.Round(offset + (factor * v));
        }
    }

    /// <summary>sin 2πv and cos 2πv for v in [0, 1): Taylor polynomials of an angle within π/4 of the nearest quarter, which are right to 2e-14.</summary>
    private static void SinCosTurn(double v, out double sin, out double cos)
    {
        int quarter = (int)((4.0 * v) + 0.5);
        double r = ((4.0 * v) - quarter) * 1.5707963267948966;
        double s = r * r;
        double p = -7.647163731819816e-13;
        p = GpuMath.Fma(p, s, 1.6059043836821613e-10);
        p = GpuMath.Fma(p, s, -2.505210838544172e-08);
        p = GpuMath.Fma(p, s, 2.7557319223985893e-06);
        p = GpuMath.Fma(p, s, -0.0001984126984126984);
        p = GpuMath.Fma(p, s, 0.008333333333333333);
        p = GpuMath.Fma(p, s, -0.16666666666666666);
        double sinNear = GpuMath.Fma(p * s, r, r);
        double q = 4.779477332387385e-14;
        q = GpuMath.Fma(q, s, -1.1470745597729725e-11);
        q = GpuMath.Fma(q, s, 2.08767569878681e-09);
        q = GpuMath.Fma(q, s, -2.755731922398589e-07);
        q = GpuMath.Fma(q, s, 2.48015873015873e-05);
        q = GpuMath.Fma(q, s, -0.001388888888888889);
        q = GpuMath.Fma(q, s, 0.041666666666666664);
        q = GpuMath.Fma(q, s, -0.5);
        double cosNear = GpuMath.Fma(q, s, 1.0);
        bool odd = (quarter & 1) != 0;
        double one = odd ? cosNear : sinNear, other = odd ? sinNear : cosNear;
        sin = (quarter & 2) != 0 ? -one : one;
        cos = ((quarter + 1) & 2) != 0 ? -other : other;
    }
}

/// <summary>How a float64 number becomes an element.</summary>
/// <typeparam name="TWord">The primitive that holds one element.</typeparam>
internal interface IRounding<TWord>
    where TWord : unmanaged
{
    /// <summary>The nearest element.</summary>
    static abstract TWord Round(double value);
}

/// <summary>To float64: exact.</summary>
internal readonly struct ToFloat64 : IRounding<double>
{
    public static double Round(double value) => value;
}

/// <summary>To float32, then to a format.</summary>
internal readonly struct ToFormat<TWord, TFormat> : IRounding<TWord>
    where TWord : unmanaged
    where TFormat : struct, IElementFormat<TWord>
{
    public static TWord Round(double value) => TFormat.Narrow((float)value);
}
