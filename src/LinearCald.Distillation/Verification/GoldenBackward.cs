using LinearCald.Distillation.Recipes;
using LinearCald.Nn.Optimisers;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;

namespace LinearCald.Distillation.Verification;

/// <summary>The backward pass of a golden model: in float16 from the scaled loss, as in training, where the gradients of activations would otherwise leave the format's range.</summary>
internal static class GoldenBackward
{
    /// <summary>A power of two changes no digit. Below the trainer's first scale, since nothing here would halve it after an overflow.</summary>
    private const double Float16Scale = 1024;

    /// <summary>Runs it.</summary>
    /// <returns>What the gradients are multiplied with.</returns>
    public static double Run(Tape tape, Tensor loss, Precision precision)
    {
        if (precision != Precision.Fp16)
        {
            tape.Backward(loss);
            return 1;
        }

        using LossScaler scaler = new(loss.Device, new LossScalerOptions(Float16Scale));
        tape.Backward(loss, scaler.Seed(loss));
        return scaler.Scale;
    }

    /// <summary>A gradient without the scale.</summary>
    public static double[] Values(Tensor gradient, double scale) => Array.ConvertAll(Fixture.Values(gradient), v => v / scale);
}
