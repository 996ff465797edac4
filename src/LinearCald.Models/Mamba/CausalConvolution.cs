using LinearCald.Models.Language;
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
    /// <param name="input">Lengths and documents of the batch.</param>
    /// <param name="state">The last K − 1 inputs [B, K − 1, D] of earlier passes, updated; null outside generation.</param>
    public Tensor Forward(Tensor x, LanguageInput input, Tensor? state) =>
        x.CausalConv1d(_weight.Value, _bias?.Value, Activation.Silu, input.Sequences, state is null ? null : input.Lengths, state);
}
