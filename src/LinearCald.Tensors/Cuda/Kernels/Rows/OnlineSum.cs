using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Σ e^(scale · (x − largest)) of a row that is read once, the largest element so far being replaced as it goes (Milakov and Gimelshein 2018).</summary>
internal static class OnlineSum
{
    /// <summary>Takes a tile of one thread into its sum.</summary>
    public static void Add<TCount>(ref Registers<float, TCount> x, float scale, ref float largest, ref float sum)
        where TCount : struct, ICount
    {
        float before = largest;
        for (int i = 0; i < TCount.Value; i++)
        {
            largest = MathF.Max(largest, x[i]);
        }

        float origin = Origin(largest);
        sum *= GpuMath.Exp((before - origin) * scale);
        for (int i = 0; i < TCount.Value; i++)
        {
            sum += GpuMath.Exp((x[i] - origin) * scale);
        }
    }

    /// <summary>Where exponents are counted from: nothing but −∞ so far must give 0, not NaN.</summary>
    public static float Origin(float largest) => largest == float.NegativeInfinity ? 0f : largest;

    /// <summary>Joins the threads' sums; a row of nothing but −∞ gives NaN.</summary>
    public static void Merge<TTeam>(float scale, ref float largest, ref float sum)
        where TTeam : struct, IRowTeam
    {
        float own = largest;
        largest = TTeam.Max(TTeam.Scratch(), own);
        sum = TTeam.Sum(TTeam.Scratch(), sum * GpuMath.Exp((own - largest) * scale));
    }
}
