using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Models;

/// <summary>The part of a layer in which positions see each other: what a conversion replaces.</summary>
public abstract class TokenMixer : Module
{
    /// <summary>[B, L, d] → [B, L, d].</summary>
    /// <param name="x">Hidden states.</param>
    /// <param name="lengths">int32 [B]: valid positions of each sample; null when all are.</param>
    /// <param name="context">What the pass is for.</param>
    public abstract Tensor Forward(Tensor x, Tensor? lengths, ForwardContext context);
}
