using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Nn.Layers;

/// <summary>Layer normalisation with parameters <c>weight</c> (start 1) and <c>bias</c> (start 0), both [features].</summary>
public sealed class LayerNorm : Module
{
    private readonly double _epsilon;

    public LayerNorm(BuildContext context, int features, double epsilon)
    {
        _epsilon = epsilon;
        Weight = AddParameter("weight", context, new Shape(features), Initialisers.Constant(1));
        Bias = AddParameter("bias", context, new Shape(features), Initialisers.Constant(0));
    }

    public Parameter Weight { get; }

    public Parameter Bias { get; }

    /// <summary>[..., features] → the same shape.</summary>
    /// <param name="x">Input.</param>
    /// <param name="scale">Of the part of the network that the layer belongs to; null where gradients have their own size.</param>
    public Tensor Forward(Tensor x, GradientScale? scale = null) => x.LayerNorm(Weight.In(scale), Bias.In(scale), _epsilon);

    /// <summary>LN(x + dropout(h)).</summary>
    public Tensor ForwardResidual(Tensor x, Tensor h, double dropout, RandomKey key) =>
        x.ResidualLayerNorm(h, Weight.Value, Bias.Value, _epsilon, dropout, key);
}
