using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Nn.Layers;

/// <summary>Normalisation by the root mean square (Zhang and Sennrich 2019) with the parameter <c>weight</c> [features], start 1.</summary>
public sealed class RmsNorm : Module
{
    private readonly double _epsilon;

    public RmsNorm(BuildContext context, int features, double epsilon)
    {
        _epsilon = epsilon;
        Weight = AddParameter("weight", context, new Shape(features), Initialisers.Constant(1));
    }

    public Parameter Weight { get; }

    /// <summary>[..., features] → the same shape.</summary>
    public Tensor Forward(Tensor x) => x.RmsNorm(Weight.Value, _epsilon);

    /// <summary>The norm of x · SiLU(z), over all features at once.</summary>
    /// <param name="x">Input.</param>
    /// <param name="z">Gate.</param>
    /// <param name="scale">Of the part of the network that the layer belongs to; null where gradients have their own size.</param>
    public Tensor ForwardGated(Tensor x, Tensor z, GradientScale? scale = null) => x.GatedRmsNorm(z, Weight.In(scale), _epsilon);
}
