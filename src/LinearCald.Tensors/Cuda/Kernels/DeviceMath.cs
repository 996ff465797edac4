using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Functions that kernels share, in float32. NaN gives NaN.</summary>
internal static class DeviceMath
{
    /// <summary>1 / (1 + e^−x), within 3 ulp where the result is normal; 0 below about −87.</summary>
    public static float Sigmoid(float x) => GpuMath.ReciprocalApproximate(1f + MathF.Exp(-x));

    /// <summary>The error function: x·P(x²)/Q(x²) of degrees 5 and 5, within 6 ulp; 1 from 3.95 on. The same fit as the CPU's.</summary>
    public static float Erf(float x)
    {
        x = MathF.Max(-3.95f, MathF.Min(3.95f, x));
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
        q = GpuMath.Fma(q, t, 1f);
        return x * p * GpuMath.ReciprocalApproximate(q);
    }

    /// <summary>log(1 + x) for x in 0 … 1: the rounding of 1 + x is made good by the factor x / ((1 + x) − 1).</summary>
    public static float Log1p(float x)
    {
        float u = 1f + x;
        float d = u - 1f;
        return d == 0f ? x : MathF.Log(u) * GpuMath.DivideApproximate(x, d);
    }
}
