using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>x·Φ(x) = x/2·(1 + erf(x/√2)).</summary>
internal readonly struct GeluErfMap : IMapOperator
{
    public static float Apply(float x, float p, float q)
    {
        float half = 0.5f * x;
        return GpuMath.Fma(half, DeviceMath.Erf(x * 0.70710678f), half);
    }
}

/// <summary>x/2·(1 + tanh u) with u = √(2/π)·(x + 0.044715·x³), written as x·σ(2u).</summary>
internal readonly struct GeluTanhMap : IMapOperator
{
    /// <summary>2·√(2/π).</summary>
    public const float TwiceRoot = 1.5957691216057308f;

    /// <summary>0.044715·2·√(2/π).</summary>
    public const float Cubic = 0.07135481627159546f;

    public static float Apply(float x, float p, float q) => x * DeviceMath.Sigmoid(x * GpuMath.Fma(x * x, Cubic, TwiceRoot));
}

/// <summary>x·σ(x).</summary>
internal readonly struct SiluMap : IMapOperator
{
    public static float Apply(float x, float p, float q) => x * DeviceMath.Sigmoid(x);
}

/// <summary>max(x, 0); NaN stays.</summary>
internal readonly struct ReluMap : IMapOperator
{
    public static float Apply(float x, float p, float q) => MathF.Max(x, 0f);
}

/// <summary>tanh x.</summary>
internal readonly struct TanhMap : IMapOperator
{
    public static float Apply(float x, float p, float q) => GpuMath.Tanh(x);
}

/// <summary>1 / (1 + e^−x).</summary>
internal readonly struct SigmoidMap : IMapOperator
{
    public static float Apply(float x, float p, float q) => DeviceMath.Sigmoid(x);
}

/// <summary>e^x.</summary>
internal readonly struct ExpMap : IMapOperator
{
    public static float Apply(float x, float p, float q) => GpuMath.Exp(x);
}

/// <summary>Natural logarithm.</summary>
internal readonly struct LogMap : IMapOperator
{
    public static float Apply(float x, float p, float q) => GpuMath.Log(x);
}

/// <summary>√x.</summary>
internal readonly struct SqrtMap : IMapOperator
{
    public static float Apply(float x, float p, float q) => MathF.Sqrt(x);
}

/// <summary>x².</summary>
internal readonly struct SquareMap : IMapOperator
{
    public static float Apply(float x, float p, float q) => x * x;
}

/// <summary>log(1 + e^x) = max(x, 0) + log(1 + e^−|x|), accurate on both sides.</summary>
internal readonly struct SoftplusMap : IMapOperator
{
    public static float Apply(float x, float p, float q) => MathF.Max(x, 0f) + GpuMath.Log1p(DeviceMath.Exp(-MathF.Abs(x)));
}
