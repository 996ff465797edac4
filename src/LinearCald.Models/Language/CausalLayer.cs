using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Models.Language;

/// <summary>One layer of a causal language model, around the residual stream.</summary>
internal abstract class CausalLayer : Module
{
    /// <summary>[B, L, d] → [B, L, d], the residual stream in its own type.</summary>
    public abstract Tensor Forward(Tensor x, LanguageInput input, ForwardContext context, LayerMemory? memory);

    /// <inheritdoc cref="CausalMixer.NewMemory"/>
    public abstract LayerMemory NewMemory(int batch, int capacity);
}
