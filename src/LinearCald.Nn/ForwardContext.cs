using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Nn;

/// <summary>What a forward pass is for.</summary>
public sealed class ForwardContext
{
    /// <summary>Inference: no dropout.</summary>
    public static readonly ForwardContext Inference = new();

    /// <summary>Keys of the dropout masks; null switches dropout off (inference, or a teacher in eval mode).</summary>
    public RandomGenerator? Dropout { get; init; }

    /// <summary>Whether the model returns the hidden states of all layers.</summary>
    public bool HiddenStates { get; init; }

    /// <summary>The type of what goes through matrix products, attention and scans; null for the parameters' own. Residual streams and norms keep the parameters' type.</summary>
    public DType? ComputeType { get; init; }

    /// <summary>
    /// The compute type of parts whose rounding multiplies on the way (recurrent mixers, convolutions over waves): Float16 where the compute type is BFloat16, at the same cost and
    /// with three more binary digits; gradients pass through a <see cref="GradientScale"/> then. Otherwise <see cref="ComputeType"/>.
    /// </summary>
    public DType? FineType => ComputeType == DType.BFloat16 ? DType.Float16 : ComputeType;

    /// <summary>Whether layers keep only their inputs and are computed again in the backward pass.</summary>
    public bool Checkpointing { get; init; }

    /// <summary>The probability to use where a configuration asks for <paramref name="p"/>.</summary>
    public double Probability(double p) => Dropout is null ? 0 : p;

    /// <summary>x in the compute type.</summary>
    public Tensor Compute(Tensor x) => ComputeType is { } type ? x.To(type) : x;

    /// <summary>A key for the next dropout mask.</summary>
    public RandomKey NextKey() => Dropout?.Next() ?? default;
}
