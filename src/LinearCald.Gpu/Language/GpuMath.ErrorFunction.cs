namespace LinearCald.Gpu;

// Minimax fits of our own.
public static partial class GpuMath
{
    /// <summary>The error function within 2 ulp.</summary>
    public static float Erf(float x)
    {
        float a = MathF.Abs(x);
        if (a < 0.93f)
        {
            return ErfNearZero(x);
        }

        // erf = 1 − e^−g; from 3.95 on the result is 1.
        float b = MathF.Min(a, 3.95f);
        float g = 2.08273614e-05f;
        g = Fma(g, b, -0.000431351538f);
        g = Fma(g, b, 0.00415604794f);
        g = Fma(g, b, -0.025080191f);
        g = Fma(g, b, 0.108219936f);
        g = Fma(g, b, 0.633401096f);
        g = Fma(g, b, 1.12948835f);
        g = Fma(g, b, -0.00016920382f);
        return MathF.CopySign(1 - Exp(-g), x);
    }

    /// <summary>1 − erf x within 4 ulp, also where that is nearly 0.</summary>
    public static float Erfc(float x)
    {
        if (MathF.Abs(x) < 0.5f)
        {
            return 1 - ErfNearZero(x);
        }

        // erfc a · e^(a²) · (1 + 2a) as a polynomial in t = (a − 4) / (a + 4); a is bounded where the result has long been 0.
        float a = MathF.Min(MathF.Abs(x), 10.1f);
        float sum = a + 4;
        float t = (a - 4) / sum;
        float p = 0.000877203245f;
        p = Fma(p, t, 0.00700057624f);
        p = Fma(p, t, -0.0159154348f);
        p = Fma(p, t, 0.0364176817f);
        p = Fma(p, t, -0.0666318461f);
        p = Fma(p, t, 0.0938208848f);
        p = Fma(p, t, -0.100990973f);
        p = Fma(p, t, 0.0680933818f);
        p = Fma(p, t, 0.0153773651f);
        p = Fma(p, t, -0.139621064f);
        p = Fma(p, t, 1.23299515f);
        float square = a * a;
        float rest = Fma(a, a, -square);
        float scaled = p / Fma(2, a, 1);

        // e^−(square + rest), the second factor to first order.
        float e = Exp(-square);
        float tail = scaled * Fma(e, -rest, e);
        return x < 0 ? 2 - tail : tail;
    }

    private static float ErfNearZero(float x)
    {
        float y = x * x;
        float p = 8.14758459e-05f;
        p = Fma(p, y, -0.000808264886f);
        p = Fma(p, y, 0.00519486796f);
        p = Fma(p, y, -0.026856456f);
        p = Fma(p, y, 0.112836324f);
        p = Fma(p, y, -0.376126289f);
        p = Fma(p, y, 0.128379166f);
        return Fma(p, x, x);
    }
}
