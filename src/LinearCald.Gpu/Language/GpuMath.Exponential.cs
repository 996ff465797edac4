namespace LinearCald.Gpu;

// Written out in arithmetic that is the same on every device (multiply-add, shifts), so that one test on the CPU holds for the GPU bit for bit.
// x = j ln 2 + r with |r| ≤ ln 2 / 2; adding 1.5 · 2²³ rounds to an integer and leaves it in the low bits. Polynomials: minimax fits of our own.
public static partial class GpuMath
{
    private const float RoundToInteger = 12582912f;
    private const float Log2E = 1.44269504f;
    private const float Ln2High = 0.693147182f;
    private const float Ln2Low = -1.90465421e-09f;

    /// <summary>eˣ within 1 ulp; overflows to infinity, reaches down to the subnormal numbers.</summary>
    public static float Exp(float x)
    {
        x = MathF.Max(MathF.Min(x, 105f), -105f);
        float shifted = Fma(x, Log2E, RoundToInteger);
        float j = shifted - RoundToInteger;
        float r = Fma(j, -Ln2Low, Fma(j, -Ln2High, x));
        return Scale(1 + Fma(r * r, ExpTail(r), r), shifted);
    }

    /// <summary>2ˣ within 1 ulp.</summary>
    public static float Exp2(float x)
    {
        x = MathF.Max(MathF.Min(x, 152f), -152f);
        float shifted = x + RoundToInteger;
        float f = x - (shifted - RoundToInteger);
        float r = f * Ln2High;
        r = Fma(f, Ln2Low, r);
        return Scale(1 + Fma(r * r, ExpTail(r), r), shifted);
    }

    /// <summary>eˣ − 1 within 2 ulp, also where eˣ is nearly 1.</summary>
    public static float Expm1(float x)
    {
        float bounded = MathF.Max(MathF.Min(x, 89f), -25f);
        float shifted = Fma(bounded, Log2E, RoundToInteger);
        float j = shifted - RoundToInteger;
        float r = Fma(j, -Ln2Low, Fma(j, -Ln2High, bounded));
        float q = Fma(r * r, ExpTail(r), r);

        // Half of 2ʲ, for j may be 128.
        float half = PowerOfTwo(Integer(shifted) - 1);
        float result = 2 * Fma(q, half, half - 0.5f);
        return MathF.Abs(x) < 1e-7f ? x : result;
    }

    /// <summary>1 / (1 + e⁻ˣ) within 3 ulp, also where it is nearly 0.</summary>
    public static float Sigmoid(float x)
    {
        float e = Exp(-MathF.Abs(x));
        return (x < 0 ? e : 1) / (1 + e);
    }

    /// <summary>tanh x within 3 ulp.</summary>
    public static float Tanh(float x)
    {
        float a = MathF.Abs(x);
        float t = Expm1(2 * MathF.Min(a, 10f));
        return MathF.CopySign(a < 1e-4f ? a : t / (t + 2), x);
    }

    /// <summary>eˣ within 1 ulp.</summary>
    public static double Exp(double x)
    {
        const double round = 6755399441055744.0;
        x = Math.Max(Math.Min(x, 750), -750);
        double shifted = Fma(x, 1.4426950408889634, round);
        double j = shifted - round;

        // The upper part has 33 bits, so that its product with j is exact.
        double r = Fma(j, -7.440617110012397e-11, Fma(j, -0.6931471804855391, x));
        double p = 2.092692288803174e-09;
        p = Fma(p, r, 2.5112240020425072e-08);
        p = Fma(p, r, 2.7557233416056126e-07);
        p = Fma(p, r, 2.7557234236107333e-06);
        p = Fma(p, r, 2.4801587373702355e-05);
        p = Fma(p, r, 0.00019841269897059863);
        p = Fma(p, r, 0.0013888888888858428);
        p = Fma(p, r, 0.008333333333316739);
        p = Fma(p, r, 0.04166666666666673);
        p = Fma(p, r, 0.16666666666666685);
        p = Fma(p, r, 0.5);
        int n = (int)BitConverter.DoubleToInt64Bits(shifted);
        int first = n >> 1;
        return (1 + Fma(r * r, p, r)) * DoublePowerOfTwo(first) * DoublePowerOfTwo(n - first);
    }

    /// <summary>(eʳ − 1 − r) / r² for |r| ≤ ln 2 / 2, relative to eʳ within 2⁻²⁸.</summary>
    private static float ExpTail(float r)
    {
        float p = 0.00139204855f;
        p = Fma(p, r, 0.00836933963f);
        p = Fma(p, r, 0.041666586f);
        p = Fma(p, r, 0.166665152f);
        return Fma(p, r, 0.5f);
    }

    /// <summary>p · 2ʲ in two steps, of which only the last rounds, so that subnormal results are right.</summary>
    private static float Scale(float p, float shifted)
    {
        int j = Integer(shifted);
        int first = j >> 1;
        return p * PowerOfTwo(first) * PowerOfTwo(j - first);
    }

    private static int Integer(float shifted) => BitConverter.SingleToInt32Bits(shifted) - 0x4B400000;

    private static float PowerOfTwo(int exponent) => BitConverter.Int32BitsToSingle((exponent + 127) << 23);

    private static double DoublePowerOfTwo(int exponent) => BitConverter.Int64BitsToDouble((long)(exponent + 1023) << 52);
}
