using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Numbers as mantissa (X) · 2^exponent (Y), exponents integral floats, as on the CPU: sums over alignments neither overflow nor underflow, and a sum is shifts and
/// additions, with no exponential and no logarithm on the way.
/// </summary>
internal static class CtcNumber
{
    /// <summary>The exponent of 0.</summary>
    public const float Impossible = -1e30f;

    private const float Log2E = 1.44269504f;
    private const float Least = -1e9f;

    /// <summary>The nearest power of two to e^x: its exponent.</summary>
    public static float Exponent(float x) => MathF.Floor(GpuMath.Fma(x, Log2E, 0.5f));

    /// <summary>e^x · 2^−top. x = n ln 2 + r of the logit itself keeps the last bits of unlikely classes; finite logits far below keep a number, −∞ is 0.</summary>
    public static Float2 Split(float x, float top)
    {
        float n = MathF.Max(top + Least, Exponent(x));
        float r = GpuMath.Fma(n, -1.42860682030941723212e-6f, GpuMath.Fma(n, -0.693145751953125f, x));
        float m = GpuMath.Exp(MathF.Min(0.36f, MathF.Max(-0.36f, r)));
        bool none = x == float.NegativeInfinity;
        return new Float2(none ? 0f : m, none ? Impossible : n - top);
    }

    /// <summary>The mantissa of a number at an exponent that is not smaller than its own.</summary>
    public static float At(float mantissa, float exponent, float other) => mantissa * PowerOfTwo(MathF.Max(exponent - other, -126f));

    /// <summary>2^n for an integral n from −126 to 127: adding 1.5 · 2²³ + 127 leaves the biased exponent in the low bits.</summary>
    public static float PowerOfTwo(float n) => BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(n + 12583039f) << 23);

    /// <summary>The same number with a mantissa from 1 up to 2.</summary>
    public static Float2 Normalised(float mantissa, float exponent)
    {
        int bits = BitConverter.SingleToInt32Bits(mantissa);
        float power = (bits >> 23) - 127;
        return new Float2(mantissa * PowerOfTwo(-MathF.Min(power, 126f)), mantissa == 0f ? Impossible : exponent + MathF.Min(power, 126f));
    }
}
