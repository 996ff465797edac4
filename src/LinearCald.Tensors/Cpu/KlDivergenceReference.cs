using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="KlDivergenceKernel"/>, in float64.</summary>
internal static unsafe class KlDivergenceReference
{
    /// <summary>The loss.</summary>
    public static double Forward<T>(T* student, T* teacher, long rows, int classes, double temperature, double scale)
        where T : unmanaged, INumberBase<T>
    {
        double total = 0;
        for (long i = 0; i < rows; i++)
        {
            double[] s = CrossEntropyReference.Softmax(student + (i * classes), classes, 1 / temperature);
            double[] t = CrossEntropyReference.Softmax(teacher + (i * classes), classes, 1 / temperature);
            for (int j = 0; j < classes; j++)
            {
                total += t[j] == 0 ? 0 : t[j] * Math.Log(t[j] / s[j]);
            }
        }

        return scale * total;
    }

    /// <summary>gloss times the derivative of the loss by each logit of the student: [rows, classes].</summary>
    public static double[] Gradient<T>(T* student, T* teacher, long rows, int classes, double temperature, double scale, double gloss)
        where T : unmanaged, INumberBase<T>
    {
        double[] gradient = new double[rows * classes];
        for (long i = 0; i < rows; i++)
        {
            double[] s = CrossEntropyReference.Softmax(student + (i * classes), classes, 1 / temperature);
            double[] t = CrossEntropyReference.Softmax(teacher + (i * classes), classes, 1 / temperature);
            for (int j = 0; j < classes; j++)
            {
                gradient[(i * classes) + j] = gloss * scale * (s[j] - t[j]) / temperature;
            }
        }

        return gradient;
    }
}
