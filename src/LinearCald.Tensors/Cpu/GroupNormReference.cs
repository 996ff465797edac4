namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="GroupNorm"/> and <see cref="GroupNormGradient"/>, in float64.</summary>
internal static class GroupNormReference
{
    /// <summary>y of x [batch, rows, channels]; weight and bias have a number a channel or are empty.</summary>
    public static double[] Forward(GroupNormShape shape, double[] x, double[] weight, double[] bias, double epsilon)
    {
        double[] y = new double[x.Length];
        foreach (int[] group in Groups(shape))
        {
            (double mean, double rstd) = Statistics(x, group, epsilon);
            foreach (int i in group)
            {
                int c = i % shape.Channels;
                y[i] = ((x[i] - mean) * rstd * (weight.Length == 0 ? 1 : weight[c])) + (bias.Length == 0 ? 0 : bias[c]);
            }
        }

        return y;
    }

    /// <summary>The gradients of input, weight and bias.</summary>
    public static (double[] X, double[] Weight, double[] Bias) Backward(GroupNormShape shape, double[] dy, double[] x, double[] weight, double epsilon)
    {
        double[] dx = new double[x.Length], dw = new double[shape.Channels], db = new double[shape.Channels];
        foreach (int[] group in Groups(shape))
        {
            (double mean, double rstd) = Statistics(x, group, epsilon);
            double sum = 0, projection = 0;
            foreach (int i in group)
            {
                int c = i % shape.Channels;
                double normal = (x[i] - mean) * rstd, g = dy[i] * (weight.Length == 0 ? 1 : weight[c]);
                dw[c] += dy[i] * normal;
                db[c] += dy[i];
                sum += g / group.Length;
                projection += g * normal / group.Length;
            }

            foreach (int i in group)
            {
                double g = dy[i] * (weight.Length == 0 ? 1 : weight[i % shape.Channels]);
                dx[i] = rstd * (g - sum - ((x[i] - mean) * rstd * projection));
            }
        }

        return (dx, dw, db);
    }

    /// <summary>The indices of each sample's and group's elements.</summary>
    private static IEnumerable<int[]> Groups(GroupNormShape shape) =>
        from b in Enumerable.Range(0, shape.Batch)
        from g in Enumerable.Range(0, shape.Groups)
        select (
            from t in Enumerable.Range(0, (int)shape.Rows)
            from c in Enumerable.Range(g * shape.Size, shape.Size)
            select (((b * (int)shape.Rows) + t) * shape.Channels) + c).ToArray();

    private static (double Mean, double Rstd) Statistics(double[] x, int[] group, double epsilon)
    {
        double mean = group.Average(i => x[i]);
        return (mean, 1 / Math.Sqrt(group.Average(i => (x[i] - mean) * (x[i] - mean)) + epsilon));
    }
}
