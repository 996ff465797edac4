using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;

namespace LinearCald.Models.Tests;

/// <summary>The gradient of a whole model in float64 against central differences.</summary>
internal static class ModelGradient
{
    private const double Step = 1e-6;

    /// <summary>Along a random direction of each parameter, the gradient is the slope of the loss.</summary>
    /// <param name="model">With float64 parameters; they are as before in the end.</param>
    /// <param name="loss">A forward pass to a one-element loss.</param>
    public static void IsThatOf(Module model, Func<Tensor> loss)
    {
        Value(loss, backward: true);
        Random random = new(3);
        foreach ((string name, Parameter parameter) in model.NamedParameters())
        {
            double[] values = parameter.Value.ToArray<double>();
            double[] gradient = parameter.Value.Gradient!.ToArray<double>();
            double[] direction = [.. values.Select(_ => random.NextDouble() - 0.5)];
            double expected = gradient.Zip(direction, (g, d) => g * d).Sum();
            parameter.Value.Set<double>([.. values.Zip(direction, (v, d) => v + (Step * d))]);
            double above = Value(loss, backward: false);
            parameter.Value.Set<double>([.. values.Zip(direction, (v, d) => v - (Step * d))]);
            double below = Value(loss, backward: false);
            parameter.Value.Set<double>(values);
            double numeric = (above - below) / (2 * Step);
            Assert.True(Math.Abs(numeric - expected) <= 1e-6 * Math.Max(1, Math.Abs(expected)), $"{name}: {expected} against {numeric}");
        }
    }

    private static double Value(Func<Tensor> loss, bool backward)
    {
        using MemoryScope scope = MemoryScope.Begin();
        using Tape tape = Tape.Record();
        Tensor value = loss();
        double number = value.Item();
        if (backward)
        {
            tape.Backward(value);
        }

        return number;
    }
}
