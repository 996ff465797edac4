namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="WeightNorm"/>, in float64.</summary>
internal static class WeightNormReference
{
    /// <summary>w of v [rows, taps] and g [taps].</summary>
    public static double[] Forward(int taps, double[] v, double[] g)
    {
        double[] norm = Norms(taps, v);
        return [.. v.Select((value, i) => value * g[i % taps] / norm[i % taps])];
    }

    /// <summary>The gradients of v and g: dw through w = g u with the direction u = v/‖v‖, and du through the projection I − u uᵀ.</summary>
    public static (double[] V, double[] G) Backward(int taps, double[] dw, double[] v, double[] g)
    {
        double[] norm = Norms(taps, v), dg = new double[taps];
        double[] direction = [.. v.Select((value, i) => value / norm[i % taps])];
        for (int i = 0; i < v.Length; i++)
        {
            dg[i % taps] += dw[i] * direction[i];
        }

        return ([.. direction.Select((u, i) => g[i % taps] / norm[i % taps] * (dw[i] - (u * dg[i % taps])))], dg);
    }

    private static double[] Norms(int taps, double[] v)
    {
        double[] norm = new double[taps];
        for (int i = 0; i < v.Length; i++)
        {
            norm[i % taps] += v[i] * v[i];
        }

        return Array.ConvertAll(norm, Math.Sqrt);
    }
}
