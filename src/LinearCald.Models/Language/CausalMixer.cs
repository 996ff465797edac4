using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Models.Language;

/// <summary>The part of a layer in which a position sees earlier ones: attention, or a recurrence. What a conversion replaces.</summary>
internal abstract class CausalMixer : Module
{
    /// <summary>[B, L, d] → [B, L, d].</summary>
    /// <param name="x">Hidden states, normalised, in the type of the residual stream: a mixer brings them to the type that it computes in by itself.</param>
    /// <param name="input">Lengths and documents of the batch.</param>
    /// <param name="context">What the pass is for.</param>
    /// <param name="memory">Of the tokens before x; updated. Made by <see cref="NewMemory"/>.</param>
    /// <param name="output">Type of the result, the residual stream's: what a 16-bit product sums up reaches it unrounded.</param>
    public abstract Tensor Forward(Tensor x, LanguageInput input, ForwardContext context, LayerMemory? memory, DType output);

    /// <summary>An empty memory.</summary>
    /// <param name="batch">Texts side by side.</param>
    /// <param name="capacity">The most tokens it will ever hold.</param>
    public abstract LayerMemory NewMemory(int batch, int capacity);
}
