namespace LinearCald.Gpu;

// x = 2ⁿ (1 + m) with m in [−1/4, 1/2); ln x = n ln 2 + ln(1 + m). Polynomials: minimax fits of our own.
public static partial class GpuMath
{
    /// <summary>ln x within 1 ulp; −∞ at 0, NaN below.</summary>
    public static float Log(float x)
    {
        (float n, float m) = Split(x);
        float result = Fma(n, Ln2High, Fma(n, Ln2Low, LogOfOnePlus(m)));
        return LogSpecial(x, result);
    }

    /// <summary>log₂ x within 2 ulp; −∞ at 0, NaN below.</summary>
    public static float Log2(float x)
    {
        (float n, float m) = Split(x);
        float natural = LogOfOnePlus(m);

        // log₂ e in two parts; the lower keeps powers of two and their neighbours right.
        float result = n + Fma(natural, 1.44269502f, natural * 1.92596303e-08f);
        return LogSpecial(x, result);
    }

    /// <summary>ln(1 + x) within 2 ulp, also for small x; −∞ at −1, NaN below.</summary>
    public static float Log1p(float x)
    {
        // The exponent of 1 + x is taken from the rounded sum, the fraction from x itself: m = 2⁻ⁿ x + (2⁻ⁿ − 1), rounded once.
        int power = (BitConverter.SingleToInt32Bits(x + 1) - 0x3F400000) & unchecked((int)0xFF800000);
        float scale = BitConverter.Int32BitsToSingle(0x40800000 - power);
        float m = Fma(0.25f, scale, -1) + BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(x) - power);
        float n = power >> 23;
        float result = Fma(n, Ln2High, Fma(n, Ln2Low, LogOfOnePlus(m)));
        result = MathF.Abs(x) < 1e-7f ? x : result;
        return LogSpecial(x + 1, result);
    }

    /// <summary>ln x within 1 ulp; −∞ at 0, NaN below.</summary>
    public static double Log(double x)
    {
        bool subnormal = x < 2.2250738585072014e-308;
        long bits = BitConverter.DoubleToInt64Bits(subnormal ? x * 18014398509481984.0 : x);

        // m in [√½, √2): the log of (1 + s) / (1 − s) with s = f / (2 + f), f = m − 1.
        long power = (bits - 0x3FE6A09E667F3BCD) & unchecked((long)0xFFF0000000000000);
        double f = BitConverter.Int64BitsToDouble(bits - power) - 1;
        double n = (int)(power >> 52) - (subnormal ? 54 : 0);
        double s = f / (2 + f);
        double z = s * s;
        double p = 0.1479626516469374;
        p = Fma(p, z, 0.15314020708444642);
        p = Fma(p, z, 0.1818356542430405);
        p = Fma(p, z, 0.22222198553419195);
        p = Fma(p, z, 0.2857142874256639);
        p = Fma(p, z, 0.3999999999941394);
        p = Fma(p, z, 0.6666666666666734);
        double half = 0.5 * f * f;
        double low = Fma(s, half + (z * p), n * 7.440617110012397e-11);
        double result = (n * 0.6931471804855391) + (f - (half - low));
        result = x == 0 ? double.NegativeInfinity : result;
        result = x < 0 ? double.NaN : result;
        return x < double.PositiveInfinity ? result : x;
    }

    private static (float Exponent, float Fraction) Split(float x)
    {
        bool subnormal = x < 1.17549435e-38f;
        int bits = BitConverter.SingleToInt32Bits(subnormal ? x * 8388608f : x);
        int power = (bits - 0x3F400000) & unchecked((int)0xFF800000);
        return ((power >> 23) - (subnormal ? 23 : 0), BitConverter.Int32BitsToSingle(bits - power) - 1);
    }

    /// <summary>ln(1 + m) for m in [−1/4, 1/2], within 2⁻²⁷ relative.</summary>
    private static float LogOfOnePlus(float m)
    {
        float p = -0.0459332764f;
        p = Fma(p, m, 0.105818644f);
        p = Fma(p, m, -0.132072121f);
        p = Fma(p, m, 0.144754633f);
        p = Fma(p, m, -0.166425705f);
        p = Fma(p, m, 0.199903756f);
        p = Fma(p, m, -0.250001937f);
        p = Fma(p, m, 0.333334625f);
        p = Fma(p, m, -0.5f);
        return Fma(m * m, p, m);
    }

    /// <summary>Zero, negative numbers, infinity and NaN, where the bits above mean nothing.</summary>
    private static float LogSpecial(float x, float result)
    {
        result = x == 0 ? float.NegativeInfinity : result;
        result = x < 0 ? float.NaN : result;
        return x < float.PositiveInfinity ? result : x;
    }
}
