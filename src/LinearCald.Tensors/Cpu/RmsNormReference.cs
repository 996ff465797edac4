namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="RmsNorm"/>, in float64 on contiguous arrays; z may be empty: no gate.</summary>
internal static class RmsNormReference
{
    public static double[] Forward(RmsNormShape shape, double[] x, double[] z, double[] weight, double epsilon)
    {
        double[] y = new double[x.Length];
        for (long i = 0; i < y.LongLength; i++)
        {
            y[i] = weight[i % shape.Columns] * Gated(x, z, i) * Scale(shape, x, z, i, epsilon);
        }

        return y;
    }

    /// <summary>The gradients of x, z (0 without a gate) and weight.</summary>
    public static (double[] X, double[] Z, double[] Weight) Backward(RmsNormShape shape, double[] gy, double[] x, double[] z, double[] weight, double epsilon)
    {
        double[] dx = new double[x.Length], dz = new double[x.Length], dw = new double[shape.Columns];
        for (long i = 0; i < x.LongLength; i++)
        {
            double scale = Scale(shape, x, z, i, epsilon), projection = 0;
            long from = i / shape.Size * shape.Size;
            for (long k = from; k < from + shape.Size; k++)
            {
                projection += gy[k] * weight[k % shape.Columns] * Gated(x, z, k) / shape.Size;
            }

            double v = Gated(x, z, i);
            double dv = scale * ((gy[i] * weight[i % shape.Columns]) - (v * scale * scale * projection));
            double sigmoid = z.Length == 0 ? 1 : 1 / (1 + Math.Exp(-z[i]));
            dw[i % shape.Columns] += gy[i] * v * scale;
            dx[i] = dv * (z.Length == 0 ? 1 : z[i] * sigmoid);
            dz[i] = z.Length == 0 ? 0 : dv * x[i] * sigmoid * (1 + (z[i] * (1 - sigmoid)));
        }

        return (dx, dz, dw);
    }

    private static double Gated(double[] x, double[] z, long i) => z.Length == 0 ? x[i] : x[i] * z[i] / (1 + Math.Exp(-z[i]));

    /// <summary>1/√(mean(v²) + ε) of the group that element i lies in.</summary>
    private static double Scale(RmsNormShape shape, double[] x, double[] z, long i, double epsilon)
    {
        double squares = 0;
        long from = i / shape.Size * shape.Size;
        for (long k = from; k < from + shape.Size; k++)
        {
            squares += Gated(x, z, k) * Gated(x, z, k);
        }

        return 1 / Math.Sqrt((squares / shape.Size) + epsilon);
    }
}
