using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="LayerMseKernel"/>, in float64.</summary>
internal static unsafe class LayerMseReference
{
    /// <summary>The loss.</summary>
    public static double Forward<T>(T* student, T* teacher, int B, int L, int d, int* lengths, bool normalise, double scale)
        where T : unmanaged, INumberBase<T>
    {
        double total = 0;
        for (int b = 0; b < B; b++)
        {
            for (int l = 0; l < L && (lengths is null || l < lengths[b]); l++)
            {
                long row = (((long)b * L) + l) * d;
                double[] s = Row(student + row, d, normalise, out _), t = Row(teacher + row, d, normalise, out _);
                for (int j = 0; j < d; j++)
                {
                    total += (s[j] - t[j]) * (s[j] - t[j]);
                }
            }
        }

        return scale * total;
    }

    /// <summary>gloss times the derivative of the loss by each element of the student: [B, L, d].</summary>
    public static double[] Gradient<T>(
        T* student, T* teacher, int B, int L, int d, int* lengths, bool normalise, double scale, double gloss)
        where T : unmanaged, INumberBase<T>
    {
        double[] gradient = new double[(long)B * L * d];
        for (int b = 0; b < B; b++)
        {
            for (int l = 0; l < L && (lengths is null || l < lengths[b]); l++)
            {
                long row = (((long)b * L) + l) * d;
                double[] s = Row(student + row, d, normalise, out double deviation), t = Row(teacher + row, d, normalise, out _);
                double[] e = [.. s.Zip(t, (a, c) => 2 * scale * gloss * (a - c))];
                double mean = normalise && d > 0 ? e.Average() : 0;
                double along = normalise && d > 0 ? e.Zip(s, (a, c) => a * c).Average() : 0;
                for (int j = 0; j < d; j++)
                {
                    gradient[row + j] = (e[j] - mean - (s[j] * along)) / deviation;
                }
            }
        }

        return gradient;
    }

    private static double[] Row<T>(T* x, int d, bool normalise, out double deviation)
        where T : unmanaged, INumberBase<T>
    {
        double[] row = new double[d];
        for (int j = 0; j < d; j++)
        {
            row[j] = double.CreateTruncating(x[j]);
        }

        deviation = 1;
        if (normalise && d > 0)
        {
            double mean = row.Average();
            double scale = Math.Sqrt(row.Average(v => (v - mean) * (v - mean)) + LayerMseKernel.Epsilon);
            deviation = scale;
            row = Array.ConvertAll(row, v => (v - mean) / scale);
        }

        return row;
    }
}
