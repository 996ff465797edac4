using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="LabelScoreKernel"/>, in float64.</summary>
internal static unsafe class LabelScoreReference
{
    public static void Forward<T>(T* logits, int* labels, long rows, int classes, double* likelihoods, int* best)
        where T : unmanaged, INumberBase<T>
    {
        for (long i = 0; i < rows; i++)
        {
            T* x = logits + (i * classes);
            best[i] = 0;
            for (int j = 1; j < classes; j++)
            {
                best[i] = double.CreateTruncating(x[j]) > double.CreateTruncating(x[best[i]]) ? j : best[i];
            }

            double maximum = double.CreateTruncating(x[best[i]]), sum = 0;
            for (int j = 0; j < classes; j++)
            {
                sum += Math.Exp(double.CreateTruncating(x[j]) - maximum);
            }

            likelihoods[i] = double.CreateTruncating(x[labels[i]]) - maximum - Math.Log(sum);
        }
    }
}
