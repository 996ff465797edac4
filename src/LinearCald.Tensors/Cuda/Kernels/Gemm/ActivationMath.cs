using LinearCald.Gpu;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// The functions of <see cref="Activation"/> on one float of a kernel, within a few units in the last place. The function's name is known where a
/// kernel is compiled, so only its branch remains.
/// </summary>
internal static class ActivationMath
{
    /// <summary>√½.</summary>
    private const float RootHalf = 0.70710678118654752f;

    /// <summary>2·√(2/π).</summary>
    private const float TwiceRoot = 1.5957691216057308f;

    /// <summary>f(x).</summary>
    public static float Apply(Activation f, float x)
    {
        switch (f)
        {
            case Activation.GeluErf:
                float half = 0.5f * x;
                return GpuMath.Fma(half, Erf(x * RootHalf), half);
            case Activation.GeluTanh:
                return x * Sigmoid(x * GpuMath.Fma(x * x, 0.044715f * TwiceRoot, TwiceRoot));
            case Activation.Silu:
                return x / (1 + MathF.Exp(-x));
            case Activation.Relu:
                return MathF.Max(x, 0);
            case Activation.Tanh:
                return MathF.Tanh(x);
            case Activation.Sigmoid:
                return Sigmoid(x);
            case Activation.Exp:
                return MathF.Exp(x);
            case Activation.Log:
                return MathF.Log(x);
            case Activation.Sqrt:
                return MathF.Sqrt(x);
            case Activation.Square:
                return x * x;
            case Activation.Softplus:
                return MathF.Max(x, 0) + LogOnePlus(MathF.Exp(-MathF.Abs(x)));
            default:
                return x;
        }
    }

    /// <summary>1 / (1 + e^−x).</summary>
    public static float Sigmoid(float x) => 1 / (1 + MathF.Exp(-x));

    /// <summary>The error function: x·P(x²)/Q(x²) of degrees 5 and 5, relative error 2e-8 before rounding, up to 3.95 where float32 reaches 1. NaN stays.</summary>
    public static float Erf(float x)
    {
        x = MathF.Max(MathF.Min(x, 3.95f), -3.95f);
        float t = x * x;
        float p = GpuMath.Fma(t, 2.0259496977814706e-06f, 0.00028468205709941685f);
        float q = GpuMath.Fma(t, 3.7831938243471086e-05f, 0.0011706654913723469f);
        p = GpuMath.Fma(p, t, 0.0038079125806689262f);
        q = GpuMath.Fma(q, t, 0.01505458727478981f);
        p = GpuMath.Fma(p, t, 0.05287466570734978f);
        q = GpuMath.Fma(q, t, 0.11455722153186798f);
        p = GpuMath.Fma(p, t, 0.1915445327758789f);
        q = GpuMath.Fma(q, t, 0.5030845999717712f);
        p = GpuMath.Fma(p, t, 1.1283791065216064f);
        q = GpuMath.Fma(q, t, 1);
        return GpuMath.DivideApproximate(x * p, q);
    }

    /// <summary>log(1 + x) for x ≥ 0: the rounding of 1 + x is made good by the factor x / ((1 + x) − 1).</summary>
    private static float LogOnePlus(float x)
    {
        float u = 1 + x;
        float d = u - 1;
        return d == 0 ? x : MathF.Log(u) * (x / d);
    }
}
