using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="AdamWKernel"/>: the formulas as they stand, one number at a time, in float64.</summary>
internal static unsafe class AdamWReference
{
    /// <inheritdoc cref="AdamWKernel.Update"/>
    public static void Update<T>(T* p, T* g, T* m, T* v, long count, in AdamWStep step)
        where T : unmanaged, INumberBase<T>
    {
        double correction1 = 1 - Math.Pow(step.Beta1, step.Step), correction2 = 1 - Math.Pow(step.Beta2, step.Step);
        for (long i = 0; i < count; i++)
        {
            double gradient = double.CreateTruncating(g[i]) * step.GradientScale;
            double parameter = double.CreateTruncating(p[i]) * (1 - (step.LearningRate * step.WeightDecay));
            double first = (step.Beta1 * double.CreateTruncating(m[i])) + ((1 - step.Beta1) * gradient);
            double second = (step.Beta2 * double.CreateTruncating(v[i])) + ((1 - step.Beta2) * gradient * gradient);
            double scale = (Math.Sqrt(second) / Math.Sqrt(correction2)) + step.Epsilon;
            p[i] = T.CreateTruncating(parameter - (step.LearningRate / correction1 * first / scale));
            m[i] = T.CreateTruncating(first);
            v[i] = T.CreateTruncating(second);
        }
    }

    /// <summary>Σ x².</summary>
    public static double SumOfSquares<T>(T* x, long count)
        where T : unmanaged, INumberBase<T>
    {
        double sum = 0;
        for (long i = 0; i < count; i++)
        {
            sum += double.CreateTruncating(x[i]) * double.CreateTruncating(x[i]);
        }

        return sum;
    }
}
