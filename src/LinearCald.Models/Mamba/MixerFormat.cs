using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Mamba;

/// <summary>
/// What a recurrent mixer computes in: <see cref="ForwardContext.FineType"/>. In bf16 that is Float16, at the same cost: gradients of rates and time steps are small differences of large sums, which multiply the rounding of all
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
        DType type = context.FineType ?? x.Type;
        if (type == (context.ComputeType ?? type) || !Tape.IsRecording)
        {
            return (x.To(type), null);
        }

        GradientScale scale = new(x.Device);
        return (scale.Parameter(x.To(DType.Float32)).To(type), scale);
    }

    /// <summary>What a mixer's last map gives: its sums unrounded, unless the residual stream has the mixer's type.</summary>
    public static DType Sums(DType type, DType output) => type == output ? type : type.Statistics();

    /// <summary>The mixer's result in the type of the residual stream.</summary>
    /// <param name="y">[B, L, d] of type <see cref="Sums"/>.</param>
    /// <param name="scale">What <see cref="Enter"/> gave.</param>
    /// <param name="output">The residual stream's type.</param>
    public static Tensor Leave(Tensor y, GradientScale? scale, DType output) => (scale?.Leave(y) ?? y).To(output);
}
