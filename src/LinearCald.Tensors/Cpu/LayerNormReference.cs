using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="LayerNorm"/>, in float64.</summary>
internal static unsafe class LayerNormReference
{
    /// <summary>Normalises the rows of x; weight and bias may be null.</summary>
    public static double[] Forward<T>(T* x, T* weight, T* bias, long rows, long columns, double epsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double[] y = new double[rows * columns];
        for (long r = 0; r < rows; r++)
        {
            (double mean, double rstd) = Statistics(x + (r * columns), columns, epsilon);
            for (long c = 0; c < columns; c++)
            {
                double w = weight is null ? 1 : double.CreateTruncating(weight[c]);
                double b = bias is null ? 0 : double.CreateTruncating(bias[c]);
                y[(r * columns) + c] = ((double.CreateTruncating(x[(r * columns) + c]) - mean) * rstd * w) + b;
            }
        }

        return y;
    }

    /// <summary>The gradients of input, weight and bias.</summary>
    public static (double[] Input, double[] Weight, double[] Bias) Backward<T>(T* x, T* weight, T* dy, long rows, long columns, double epsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double[] dx = new double[rows * columns], dw = new double[columns], db = new double[columns];
        for (long r = 0; r < rows; r++)
        {
            (double mean, double rstd) = Statistics(x + (r * columns), columns, epsilon);
            double sum = 0, projection = 0;
            for (long c = 0; c < columns; c++)
            {
                double normal = (double.CreateTruncating(x[(r * columns) + c]) - mean) * rstd;
                double d = double.CreateTruncating(dy[(r * columns) + c]);
                double g = d * (weight is null ? 1 : double.CreateTruncating(weight[c]));
                dw[c] += d * normal;
                db[c] += d;
                sum += g / columns;
                projection += g * normal / columns;
            }

            for (long c = 0; c < columns; c++)
            {
                double normal = (double.CreateTruncating(x[(r * columns) + c]) - mean) * rstd;
                double g = double.CreateTruncating(dy[(r * columns) + c]) * (weight is null ? 1 : double.CreateTruncating(weight[c]));
                dx[(r * columns) + c] = rstd * (g - sum - (normal * projection));
            }
        }

        return (dx, dw, db);
    }

    private static (double Mean, double Rstd) Statistics<T>(T* row, long columns, double epsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double mean = 0, variance = 0;
        for (long c = 0; c < columns; c++)
        {
            mean += double.CreateTruncating(row[c]) / columns;
        }

        for (long c = 0; c < columns; c++)
        {
            double d = double.CreateTruncating(row[c]) - mean;
            variance += d * d / columns;
        }

        return (mean, 1 / Math.Sqrt(variance + epsilon));
    }
}
