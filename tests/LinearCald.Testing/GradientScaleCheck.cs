using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Testing;

/// <summary>What a gradient may lose on its way through a part in Float16 between <see cref="GradientScale.Leave"/> and <see cref="GradientScale.Parameter"/>.</summary>
public static class GradientScaleCheck
{
    private const double Least = 1e-19;

    /// <summary>
    /// The largest error of an element in terms of what it may be, the rounding of Float16 and of its smallest numbers, whatever the gradient's size: at most 1. Infinite where
    /// an element is no number any more.
    /// </summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="seed">Of size and values.</param>
    /// <param name="exponent">Decimal exponent of the largest elements; below −45 all are 0, above it some are subnormal.</param>
    public static double WorstError(Device device, int seed, int exponent)
    {
        using MemoryScope scope = MemoryScope.Begin();
        Random random = new(seed);
        float[] gradient = new float[1 + random.Next(300)];
        int span = random.Next(2) * 6; // all elements of about one size, or of many
        for (int i = 0; i < gradient.Length; i++)
        {
            gradient[i] = (float)((random.NextDouble() - 0.5) * Math.Pow(10, exponent - (span * random.NextDouble())));
        }

        Shape shape = new(gradient.Length);
        Tensor x = Tensor.Zeros(device, DType.Float32, shape);
        x.RequiresGradient = true;
        using (Tape tape = Tape.Record())
        {
            GradientScale scale = new(device);
            tape.Backward(scale.Leave(scale.Parameter(x).To(DType.Float16)), Tensor.From(device, shape, gradient));
        }

        float[] back = x.Gradient!.ToArray<float>();
        double unit = (Math.Sqrt(gradient.Sum(g => (double)g * g)) / 8) + Least;
        double worst = 0;
        for (int i = 0; i < gradient.Length; i++)
        {
            double error = Math.Abs((double)back[i] - gradient[i]);
            double most = (1.001 * (Math.ScaleB(Math.Abs((double)gradient[i]), -11) + Math.ScaleB(unit, -25))) + float.Epsilon;
            worst = error <= double.MaxValue ? Math.Max(worst, error / most) : double.PositiveInfinity;
        }

        return worst;
    }
}
