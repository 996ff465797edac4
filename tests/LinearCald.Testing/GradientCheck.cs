using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;

namespace LinearCald.Testing;

/// <summary>Compares gradients with central differences in float64, along random directions and element by element.</summary>
public static class GradientCheck
{
    private const double Step = 1e-5;

    /// <summary>Random float64 values of standard deviation 1, the same for the same seed.</summary>
    public static Tensor Random(ulong seed, params ReadOnlySpan<int> shape)
    {
        Tensor x = Tensor.Empty(Device.Parse("cpu"), DType.Float64, new Shape(shape));
        x.FillNormal(0, 1, new RandomKey(seed, 77));
        return x;
    }

    /// <summary>The largest relative error of d Σ w·f(inputs) / d inputs over all elements, w random.</summary>
    /// <param name="f">A function of the inputs, recorded on the tape.</param>
    /// <param name="inputs">Float64 leaves; their gradient flags are set here.</param>
    public static double WorstError(Func<Tensor[], Tensor> f, params Tensor[] inputs)
    {
        using MemoryScope scope = MemoryScope.Begin();
        Tensor[] leaves = [.. inputs.Select(x => x.Detach())];
        Tensor weights;
        using (Tape tape = Tape.Record())
        {
            foreach (Tensor leaf in leaves)
            {
                leaf.RequiresGradient = true;
            }

            Tensor y = f(leaves);
            weights = Random(991, y.Shape.ToArray());
            tape.Backward(y, weights);
        }

        double worst = 0;
        foreach (Tensor leaf in leaves)
        {
            double[] gradient = leaf.Gradient is { } g ? g.ToArray<double>() : new double[leaf.Count];
            double[] numeric = Numeric(f, leaves, leaf, weights.ToArray<double>());
            double scale = Math.Max(1e-3, numeric.Concat(gradient).Select(Math.Abs).DefaultIfEmpty(0).Max());
            for (int i = 0; i < numeric.Length; i++)
            {
                double error = Math.Abs(numeric[i] - gradient[i]) / scale;
                worst = error <= worst ? worst : error;
            }
        }

        return worst;
    }

    private static double[] Numeric(Func<Tensor[], Tensor> f, Tensor[] leaves, Tensor leaf, double[] weights)
    {
        double[] values = leaf.ToArray<double>();
        double[] numeric = new double[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            double x = values[i];
            values[i] = x + Step;
            double above = Value(f, leaves, leaf, values, weights);
            values[i] = x - Step;
            double below = Value(f, leaves, leaf, values, weights);
            values[i] = x;
            numeric[i] = (above - below) / (2 * Step);
        }

        leaf.Set<double>(values);
        return numeric;
    }

    private static double Value(Func<Tensor[], Tensor> f, Tensor[] leaves, Tensor leaf, double[] values, double[] weights)
    {
        using MemoryScope scope = MemoryScope.Begin();
        leaf.Set<double>(values);
        double[] y = f(leaves).ToArray<double>();
        double sum = 0;
        for (int i = 0; i < y.Length; i++)
        {
            sum += y[i] * weights[i];
        }

        return sum;
    }
}
