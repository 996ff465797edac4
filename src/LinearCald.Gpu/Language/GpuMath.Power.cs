namespace LinearCald.Gpu;

public static partial class GpuMath
{
    /// <summary>xʸ within 1 ulp, computed in float64, with the special cases of IEEE 754 (pow).</summary>
    public static float Pow(float x, float y)
    {
        float a = MathF.Abs(x);
        float power = (float)Exp(y * Log((double)a));

        // From 2²⁴ on every float is even.
        bool isInteger = y == MathF.Floor(y);
        bool isOdd = isInteger && MathF.Abs(y) < 16777216f && ((int)y & 1) != 0;
        power = a == 1 && float.IsInfinity(y) ? 1 : power;
        power = isOdd ? MathF.CopySign(power, x) : power;
        power = x < 0 && !isInteger && float.IsFinite(x) ? float.NaN : power;
        return x == 1 || y == 0 ? 1 : power;
    }
}
