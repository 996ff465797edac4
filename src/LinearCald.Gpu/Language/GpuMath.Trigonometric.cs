namespace LinearCald.Gpu;

// sin and cos of r in [−π/4, π/4] by minimax polynomials of our own; the quadrant says which and with what sign.
public static partial class GpuMath
{
    // Above this, j no longer has few enough bits for exact products.
    private const float LargestSimple = 100000f;

    /// <summary>The bits of 2/π behind the point, 32 a word, after one word of zeros.</summary>
    private static ReadOnlySpan<uint> TwoOverPi => [0, 0xA2F9836E, 0x4E441529, 0xFC2757D1, 0xF534DDC0, 0xDB629599, 0x3C439041, 0xFE5163AB];

    /// <summary>sin x within 2 ulp for every x in radians.</summary>
    public static float Sin(float x)
    {
        float r = Reduce(x, out int quadrant);
        return x == 0 ? x : OfQuadrant(SinNearZero(r), CosNearZero(r), quadrant);
    }

    /// <summary>cos x within 2 ulp for every x in radians.</summary>
    public static float Cos(float x)
    {
        float r = Reduce(x, out int quadrant);
        return OfQuadrant(SinNearZero(r), CosNearZero(r), quadrant + 1);
    }

    /// <summary>sin πx within 2 ulp: the angle as a part of a half turn needs no reduction by π.</summary>
    public static float SinPi(float x)
    {
        float r = ReduceHalfTurns(x, out int quadrant);
        return x == MathF.Floor(x) ? 0 * x : OfQuadrant(SinPiNearZero(r), CosPiNearZero(r), quadrant);
    }

    /// <summary>cos πx within 2 ulp.</summary>
    public static float CosPi(float x)
    {
        float r = ReduceHalfTurns(x, out int quadrant);
        return OfQuadrant(SinPiNearZero(r), CosPiNearZero(r), quadrant + 1);
    }

    private static float OfQuadrant(float sin, float cos, int quadrant)
    {
        float value = (quadrant & 1) != 0 ? cos : sin;
        return (quadrant & 2) != 0 ? -value : value;
    }

    /// <summary>x − quadrant · π/2; NaN for infinities.</summary>
    private static float Reduce(float x, out int quadrant)
    {
        if (!(MathF.Abs(x) < LargestSimple))
        {
            return ReduceLarge(x, out quadrant);
        }

        float shifted = Fma(x, 0.636619747f, RoundToInteger);
        float j = shifted - RoundToInteger;
        quadrant = Integer(shifted);

        // π/2 in three parts; the first product is exact.
        return Fma(j, 1.71512451e-15f, Fma(j, 4.37113883e-08f, Fma(j, -1.57079637f, x)));
    }

    /// <summary>
    /// Multiplies the fraction of x by just those 96 bits of 2/π that decide the quadrant and the digits behind it
    /// (Payne and Hanek, "Radian reduction for trigonometric functions").
    /// </summary>
    private static float ReduceLarge(float x, out int quadrant)
    {
        uint bits = BitConverter.SingleToUInt32Bits(x);
        int exponent = (int)((bits >> 23) & 255) - 126;
        ulong fraction = (bits << 8) | 0x80000000;

        // The first of the 96 bits, counted with the word of zeros in front.
        int start = exponent - 34 + 32;
        int word = Math.Min(start >> 5, 4);
        int shift = start & 31;
        ulong upper = ((ulong)TwoOverPi[word] << 32) | TwoOverPi[word + 1];
        ulong lower = ((ulong)TwoOverPi[word + 2] << 32) | TwoOverPi[word + 3];
        uint first = (uint)((upper << shift) >> 32);
        uint second = (uint)((((upper << 32) | (lower >> 32)) << shift) >> 32);
        uint third = (uint)((lower << shift) >> 32);

        // The upper 64 of the product's lower 96 bits: two bits of quadrant, then the fraction of it.
        ulong product = (fraction * second) + ((fraction * third) >> 32) + ((ulong)((uint)fraction * first) << 32);
        long part = (long)(product << 2);
        quadrant = (int)(product >> 62) + (part < 0 ? 1 : 0);
        float r = (float)(part * 8.515303950216386e-20);
        if (x < 0)
        {
            r = -r;
            quadrant = -quadrant;
        }

        return float.IsFinite(x) ? r : float.NaN;
    }

    /// <summary>x − quadrant / 2, exact.</summary>
    private static float ReduceHalfTurns(float x, out int quadrant)
    {
        // Whole turns of large x go first, so that they do not overflow the rounding below; small x would lose digits by it.
        float turn = MathF.Abs(x) < 1048576f ? x : x - (2 * MathF.Floor(0.5f * x));
        float shifted = Fma(turn, 2, RoundToInteger);
        quadrant = Integer(shifted);
        return Fma(shifted - RoundToInteger, -0.5f, turn);
    }

    private static float SinNearZero(float r)
    {
        float y = r * r;
        float p = Fma(Fma(-0.000195184053f, y, 0.0083321901f), y, -0.166666552f);
        return Fma(p * y, r, r);
    }

    private static float CosNearZero(float r)
    {
        float y = r * r;
        float p = Fma(Fma(2.44306702e-05f, y, -0.00138873013f), y, 0.0416666456f);
        return Fma(Fma(p, y, -0.5f), y, 1);
    }

    private static float SinPiNearZero(float r)
    {
        float y = r * r;
        float p = Fma(Fma(-0.589571118f, y, 2.54981947f), y, -5.16770935f);

        // π in two parts.
        return Fma(r, 3.14159274f, Fma(p * y, r, r * -8.74227766e-08f));
    }

    private static float CosPiNearZero(float r)
    {
        float y = r * r;
        float p = Fma(Fma(Fma(0.22875452f, y, -1.33473623f), y, 4.05869627f), y, -4.93480206f);
        return Fma(p, y, 1);
    }
}
