using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Nn.Layers;

/// <summary>Normalisation of groups of channels over time (Wu and He 2018) with parameters <c>weight</c> (start 1) and <c>bias</c> (start 0), both [channels].</summary>
public sealed class GroupNorm : Module
{
    private readonly int _groups;

    public GroupNorm(BuildContext context, int channels, int groups, double epsilon)
    {
        _groups = groups;
        Epsilon = epsilon;
        Weight = AddParameter("weight", context, new Shape(channels), Initialisers.Constant(1));
        Bias = AddParameter("bias", context, new Shape(channels), Initialisers.Constant(0));
    }

    public Parameter Weight { get; }

    public Parameter Bias { get; }

    /// <summary>What is added to the variance.</summary>
    public double Epsilon { get; }

    /// <summary>[B, T, channels] → the same shape.</summary>
    /// <param name="x">Input.</param>
    /// <param name="scale">Of the part of the network that the layer belongs to; null where gradients have their own size.</param>
    public Tensor Forward(Tensor x, GradientScale? scale = null) => x.GroupNorm(_groups, Weight.In(scale), Bias.In(scale), Epsilon);
}
