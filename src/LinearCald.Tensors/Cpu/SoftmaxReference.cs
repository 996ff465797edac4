using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="Softmax"/>, in float64.</summary>
internal static unsafe class SoftmaxReference
{
    /// <summary>Softmax of the first lengths[r] columns of each row (all, where null); 0 in the others.</summary>
    public static double[] Forward<T>(T* x, long rows, long columns, double scale, int* lengths = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double[] y = new double[rows * columns];
        for (long r = 0; r < rows; r++)
        {
            long valid = lengths is null ? columns : lengths[r];
            double max = double.NegativeInfinity, sum = 0;
            for (long c = 0; c < valid; c++)
            {
                max = Math.Max(max, scale * double.CreateTruncating(x[(r * columns) + c]));
            }

            for (long c = 0; c < valid; c++)
            {
                sum += y[(r * columns) + c] = Math.Exp((scale * double.CreateTruncating(x[(r * columns) + c])) - max);
            }

            for (long c = 0; c < valid; c++)
            {
                y[(r * columns) + c] /= sum;
            }
        }

        return y;
    }

    /// <summary>scale·y·(dy − Σ dy·y).</summary>
    public static double[] Backward(double[] y, double[] dy, long rows, long columns, double scale)
    {
        double[] dx = new double[y.Length];
        for (long r = 0; r < rows; r++)
        {
            double dot = 0;
            for (long c = 0; c < columns; c++)
            {
                dot += y[(r * columns) + c] == 0 ? 0 : y[(r * columns) + c] * dy[(r * columns) + c];
            }

            for (long c = 0; c < columns; c++)
            {
                dx[(r * columns) + c] = scale * y[(r * columns) + c] * (dy[(r * columns) + c] - dot);
            }
        }

        return dx;
    }
}
