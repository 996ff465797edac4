using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Wav2Vec2;

/// <summary>
/// The relative positions of a Wav2Vec2: a wide grouped convolution whose weight is a direction v and, for each tap, a length g (Salimans and Kingma 2016). Parameters
/// <c>conv.bias</c>, <c>conv.parametrizations.weight.original0</c> (g [1, 1, K]) and <c>original1</c> (v [d, d / groups, K]).
/// </summary>
internal sealed class PositionalConvolution : Module
{
    private readonly Wav2Vec2Config _config;
    private readonly Parameter _bias;
    private readonly Parameter _magnitude;
    private readonly Parameter _direction;

    /// <summary>HuggingFace draws the weight from N(0, 4 / (K · d)); g starts as the length that such a v has on average.</summary>
    public PositionalConvolution(BuildContext context, Wav2Vec2Config config)
    {
        _config = config;
        (int width, int kernel, int inputs) = (config.HiddenSize, config.PositionKernel, config.HiddenSize / config.PositionGroups);
        double deviation = 2 / Math.Sqrt((double)kernel * width);
        _bias = AddParameter("conv.bias", context, new Shape(width), Initialisers.Constant(0));
        _magnitude = AddParameter(
            "conv.parametrizations.weight.original0", context, new Shape(1, 1, kernel), Initialisers.Constant(deviation * Math.Sqrt((double)width * inputs)));
        _direction = AddParameter("conv.parametrizations.weight.original1", context, new Shape(width, inputs, kernel), Initialisers.Normal(deviation));
    }

    /// <summary>[B, T, d] → [B, T, d] in the compute type.</summary>
    public Tensor Forward(Tensor x, ForwardContext context)
    {
        Tensor weight = _direction.Value.WeightNorm(_magnitude.Value); // [d, d / groups, K]
        Tensor y = context.Compute(x).Conv1d(
            weight, _bias.Value, padding: _config.PositionKernel / 2, groups: _config.PositionGroups, activation: _config.FeatureActivation);
        return y.Narrow(1, 0, x.Shape[1]); // an even kernel gives one frame more, [B, T + 1, d]
    }
}
