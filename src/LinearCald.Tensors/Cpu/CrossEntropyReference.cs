using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="CrossEntropyKernel"/>, in float64.</summary>
internal static unsafe class CrossEntropyReference
{
    /// <summary>The loss.</summary>
    public static double Forward<T>(T* logits, int* labels, long rows, int classes, int ignore, bool mean)
        where T : unmanaged, INumberBase<T>
    {
        double total = 0;
        long counted = 0;
        for (long i = 0; i < rows; i++)
        {
            if (labels[i] != ignore)
            {
                total -= Math.Log(Softmax(logits + (i * classes), classes)[labels[i]]);
                counted++;
            }
        }

        return mean ? total / counted : total;
    }

    /// <summary>gloss times the derivative of the loss by each logit: [rows, classes].</summary>
    public static double[] Gradient<T>(T* logits, int* labels, long rows, int classes, int ignore, bool mean, double gloss)
        where T : unmanaged, INumberBase<T>
    {
        double[] gradient = new double[rows * classes];
        long counted = 0;
        for (long i = 0; i < rows; i++)
        {
            if (labels[i] != ignore)
            {
                double[] p = Softmax(logits + (i * classes), classes);
                p[labels[i]] -= 1;
                p.CopyTo(gradient, i * classes);
                counted++;
            }
        }

        return Array.ConvertAll(gradient, g => gloss * g / (mean ? Math.Max(1, counted) : 1));
    }

    /// <summary>exp(x·scale) / Σ exp(x·scale), by way of the maximum.</summary>
    public static double[] Softmax<T>(T* x, int classes, double scale = 1)
        where T : unmanaged, INumberBase<T>
    {
        double[] p = new double[classes];
        double maximum = double.NegativeInfinity, sum = 0;
        for (int j = 0; j < classes; j++)
        {
            maximum = Math.Max(maximum, double.CreateTruncating(x[j]));
        }

        for (int j = 0; j < classes; j++)
        {
            p[j] = Math.Exp((double.CreateTruncating(x[j]) - maximum) * scale);
            sum += p[j];
        }

        return Array.ConvertAll(p, v => v / sum);
    }
}
