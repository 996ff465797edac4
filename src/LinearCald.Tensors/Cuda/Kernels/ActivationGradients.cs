using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>d/dx x·Φ(x) = Φ(x) + x·φ(x); saved: x.</summary>
internal readonly struct GeluErfGradient : IZipOperator
{
    public static float Apply(float a, float b)
    {
        float cumulative = GpuMath.Fma(0.5f, DeviceMath.Erf(a * 0.70710678f), 0.5f);
        float density = DeviceMath.Exp(-0.5f * a * a) * 0.3989422804f;
        return b * GpuMath.Fma(a, density, cumulative);
    }
}

/// <summary>d/dx x·σ(2u) = s + x·s·(1 − s)·(2u)′ with (2u)′ = 2·√(2/π)·(1 + 3·0.044715·x²); saved: x.</summary>
internal readonly struct GeluTanhGradient : IZipOperator
{
    public static float Apply(float a, float b)
    {
        float square = a * a;
        float s = DeviceMath.Sigmoid(a * GpuMath.Fma(square, GeluTanhMap.Cubic, GeluTanhMap.TwiceRoot));
        float slope = GpuMath.Fma(square, 3f * GeluTanhMap.Cubic, GeluTanhMap.TwiceRoot);
        return b * GpuMath.Fma(a * slope, s * (1f - s), s);
    }
}

/// <summary>d/dx x·σ(x) = s·(1 + x·(1 − s)); saved: x.</summary>
internal readonly struct SiluGradient : IZipOperator
{
    public static float Apply(float a, float b)
    {
        float s = DeviceMath.Sigmoid(a);
        return b * s * GpuMath.Fma(a, 1f - s, 1f);
    }
}

/// <summary>1 where y &gt; 0, else 0; saved: y.</summary>
internal readonly struct ReluGradient : IZipOperator
{
    public static float Apply(float a, float b) => a > 0f ? b : 0f;
}

/// <summary>1 − y²; saved: y.</summary>
internal readonly struct TanhGradient : IZipOperator
{
    public static float Apply(float a, float b) => b * GpuMath.Fma(-a, a, 1f);
}

/// <summary>y·(1 − y); saved: y.</summary>
internal readonly struct SigmoidGradient : IZipOperator
{
    public static float Apply(float a, float b) => b * a * (1f - a);
}

/// <summary>y; saved: y = e^x.</summary>
internal readonly struct ExpGradient : IZipOperator
{
    public static float Apply(float a, float b) => b * a;
}

/// <summary>1 / x; saved: x.</summary>
internal readonly struct LogGradient : IZipOperator
{
    public static float Apply(float a, float b) => b / a;
}

/// <summary>1 / (2·y); saved: y = √x.</summary>
internal readonly struct SqrtGradient : IZipOperator
{
    public static float Apply(float a, float b) => b / (a + a);
}

/// <summary>2·x; saved: x.</summary>
internal readonly struct SquareGradient : IZipOperator
{
    public static float Apply(float a, float b) => b * (a + a);
}

/// <summary>d/dx log(1 + e^x) = σ(x); saved: x.</summary>
internal readonly struct SoftplusGradient : IZipOperator
{
    public static float Apply(float a, float b) => b * DeviceMath.Sigmoid(a);
}
