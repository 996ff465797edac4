using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Functions that elementwise kernels share, in float32, with as few instructions as their accuracy allows: a kernel that is to run at the speed of
/// memory has about 60 of them an element of 16 bits. NaN gives NaN.
/// </summary>
internal static class DeviceMath
{
    /// <summary>e^x within 3 ulp on the special unit; 0 below −87.3, infinity above 88.7.</summary>
    public static float Exp(float x)
    {
        // 2^t · 2^r, where r is what rounding took from t = x log₂ e.
        x = MathF.Max(-90f, MathF.Min(x, 90f));
        float t = x * 1.44269504f;
        float r = GpuMath.Fma(x, 1.925963e-8f, GpuMath.Fma(x, 1.44269504f, -t));
        return GpuMath.Exp2Approximate(t) * GpuMath.Fma(r, 0.69314718f, 1f);
    }

    /// <summary>1 / (1 + e^−x), within 4 ulp; 0 below −88.</summary>
    public static float Sigmoid(float x) => GpuMath.ReciprocalApproximate(1f + Exp(-x));

    /// <summary>log(1 + e^x) within 4 ulp: max(x, 0) + 2·artanh(s), s = e / (2 + e) with e = e^−|x|. The same fit as the CPU's.</summary>
    public static float Softplus(float x)
    {
        float e = Exp(-MathF.Abs(x));
        float s = e * GpuMath.ReciprocalApproximate(e + 2f);
        float w = s * s;
        float p = GpuMath.Fma(w, 0.13993781805038452f, 0.1400379091501236f);
        p = GpuMath.Fma(p, w, 0.2001054883003235f);
        p = GpuMath.Fma(p, w, 0.3333321213722229f);
        s += s;
        return MathF.Max(x, 0f) + GpuMath.Fma(s * w, p, s);
    }

    /// <summary>The error function: x·P(x²)/Q(x²) of degrees 5 and 5, within 6 ulp; exactly 1 from 3.95 on. The same fit as the CPU's, and no branch.</summary>
    public static float Erf(float x)
    {
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

        // Exactly, since GELU multiplies what is left of 1 with numbers of any size.
        float inner = x * p * GpuMath.ReciprocalApproximate(q);
        return MathF.Abs(x) >= 3.95f ? MathF.CopySign(1f, x) : inner;
    }
}
