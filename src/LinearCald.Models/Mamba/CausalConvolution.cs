using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Mamba;

/// <summary>The short causal convolution of every channel alone, with SiLU: <c>weight</c> [D, 1, K] and, unless it has none, <c>bias</c> [D].</summary>
internal sealed class CausalConvolution : Module
{
    private readonly Parameter _weight;
    private readonly Parameter? _bias;

    public CausalConvolution(BuildContext context, int channels, int kernel, bool bias)
    {
        Initialiser start = MambaInitialisers.FanIn(kernel);
        _weight = AddParameter("weight", context, new Shape(channels, 1, kernel), start);
        _bias = bias ? AddParameter("bias", context, new Shape(channels), start) : null;
    }

    /// <summary>View [B, L, D] → [B, L, D].</summary>
    /// <param name="x">Input.</param>
    /// <param name="sequences">int32 [B, L]: numbers of the documents; null for one a row.</param>
    /// <param name="lengths">int32 [B]: valid positions; null when all are.</param>
    /// <param name="state">The last K − 1 inputs [B, K − 1, D] of earlier passes, updated; null outside generation.</param>
    /// <param name="reverse">Whether positions see the K − 1 after them and not those before.</param>
    /// <param name="scale">Of the mixer; null where gradients have their own size.</param>
    public Tensor Forward(Tensor x, Tensor? sequences, Tensor? lengths, Tensor? state = null, bool reverse = false, GradientScale? scale = null)
    {
        // Padding lies behind the text: only what ends there, a state or the way back, meets it. The scan that follows takes nothing from it.
        Tensor? ends = state is null && !reverse ? null : lengths;
        return x.CausalConv1d(_weight.In(scale), _bias?.In(scale), Activation.Silu, sequences, ends, state, reverse);
    }
}
