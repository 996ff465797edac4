namespace LinearCald.Gpu;

/// <summary>
/// Functions of the GPU's special units by name, and accurate ones built on them. <c>MathF</c>'s Sqrt, Abs, Min, Max, FusedMultiplyAdd, Floor and the like are
/// exact on every device; MathF.Exp, Log, Tanh and so on are compiled as the accurate functions here.
/// </summary>
public static partial class GpuMath
{
    /// <summary>a · b + c, rounded once.</summary>
    [Intrinsic]
    public static float Fma(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    /// <summary>a · b + c, rounded once.</summary>
    [Intrinsic]
    public static double Fma(double a, double b, double c) => Math.FusedMultiplyAdd(a, b, c);

    /// <summary>2ˣ within 2 ulp, subnormal results flushed to zero (<c>ex2.approx.ftz.f32</c>).</summary>
    [Intrinsic]
    public static float Exp2Approximate(float x) => Flush((float)Math.Pow(2, Flush(x)));

    /// <summary>log₂ x within 2⁻²² absolute near 1 (<c>lg2.approx.ftz.f32</c>).</summary>
    [Intrinsic]
    public static float Log2Approximate(float x) => (float)Math.Log2(Flush(x));

    /// <summary>1 / x within 1 ulp (<c>rcp.approx.ftz.f32</c>).</summary>
    [Intrinsic]
    public static float ReciprocalApproximate(float x) => Flush(1 / Flush(x));

    /// <summary>1 / √x within 2 ulp (<c>rsqrt.approx.ftz.f32</c>).</summary>
    [Intrinsic]
    public static float ReciprocalSqrtApproximate(float x) => (float)(1 / Math.Sqrt(Flush(x)));

    /// <summary>tanh x within 2⁻¹¹ relative (<c>tanh.approx.f32</c>).</summary>
    [Intrinsic]
    public static float TanhApproximate(float x) => MathF.Tanh(x);

    /// <summary>a / b within 2 ulp for |b| up to 2¹²⁶ (<c>div.approx.ftz.f32</c>).</summary>
    [Intrinsic]
    public static float DivideApproximate(float a, float b) => Flush(Flush(a) / Flush(b));

    private static float Flush(float x) => float.IsSubnormal(x) ? MathF.CopySign(0, x) : x;
}
