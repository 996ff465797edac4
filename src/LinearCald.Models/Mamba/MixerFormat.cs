using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Mamba;

/// <summary>
/// What a recurrent mixer computes in. In bf16 that is Float16, at the same cost: gradients of rates and time steps are small differences of large sums, which multiply the rounding of all
/// that is stored and multiplied on the way, and Float16 has three more binary digits. Mixers read normalised hidden states, so that its range is enough; gradients pass through a
/// <see cref="GradientScale"/>.
/// </summary>
internal static class MixerFormat
{
    /// <summary>Hidden states in the mixer's type, and the scale that its parameters and its result go through; null where gradients have their own size.</summary>
    /// <param name="x">[B, L, d] in the type of the residual stream.</param>
    /// <param name="context">Gives the compute type.</param>
    public static (Tensor X, GradientScale? Scale) Enter(Tensor x, ForwardContext context)
    {
        if (context.ComputeType != DType.BFloat16)
        {
            return (context.Compute(x), null);
        }

        if (!Tape.IsRecording)
        {
            return (x.To(DType.Float16), null);
        }

        GradientScale scale = new(x.Device);
        return (scale.Parameter(x.To(DType.Float32)).To(DType.Float16), scale);
    }

    /// <summary>The result of the mixer's last map, from Float32 sums, in the type of the residual stream.</summary>
    /// <param name="map">The last map.</param>
    /// <param name="y">[B, L, D] in the mixer's type.</param>
    /// <param name="scale">What <see cref="Enter"/> gave.</param>
    /// <param name="output">The residual stream's type.</param>
    public static Tensor Leave(Nn.Layers.Linear map, Tensor y, GradientScale? scale, DType output)
    {
        if (y.Type == output)
        {
            return map.Forward(y);
        }

        Tensor sums = map.Forward(y, y.Type.Statistics(), scale);
        return (scale?.Leave(sums) ?? sums).To(output);
    }
}
