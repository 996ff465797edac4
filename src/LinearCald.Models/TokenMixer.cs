using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Models;

/// <summary>The part of a layer in which positions see each other: what a conversion replaces.</summary>
public abstract class TokenMixer : Module
{
    /// <summary>
    /// [B, L, d] → [B, L, d]. Whoever calls passes hidden states as they are: a mixer brings them to the type that it computes in by itself, which need not be
    /// <see cref="ForwardContext.ComputeType"/>.
    /// </summary>
    /// <param name="x">Hidden states, in the type of the residual stream or of what normalised it.</param>
    /// <param name="lengths">int32 [B]: valid positions of each sample; null when all are.</param>
    /// <param name="context">What the pass is for.</param>
    public abstract Tensor Forward(Tensor x, Tensor? lengths, ForwardContext context);
}
