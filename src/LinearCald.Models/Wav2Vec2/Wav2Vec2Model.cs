using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Wav2Vec2;

/// <summary>From the features to the width of the layers: <c>layer_norm</c>, <c>projection</c>.</summary>
internal sealed class FeatureProjection : Module
{
    private readonly LayerNorm _norm;
    private readonly Linear _projection;
    private readonly double _dropout;

    public FeatureProjection(BuildContext context, Wav2Vec2Config config)
    {
        _dropout = config.FeatureProjectionDropout;
        int features = config.ConvolutionChannels[^1];
        _norm = AddModule("layer_norm", new LayerNorm(context, features, config.LayerNormEpsilon));
        Initialiser start = Initialisers.Uniform(1 / Math.Sqrt(features));
        _projection = AddModule("projection", new Linear(context, features, config.HiddenSize, start, start, digits: ProductDigits.Sixteen));
    }

    /// <summary>
    /// [B, T, channels] → [B, T, d] in the parameters' type. Its data are of that type in every precision: all layers inherit what it rounds, and so do the gradients of all
    /// convolutions, while it is a three hundredth of the work.
    /// </summary>
    public Tensor Forward(Tensor features, ForwardContext context) =>
        _projection.Forward(_norm.Forward(features)).Dropout(context.Probability(_dropout), context.NextKey());
}

/// <summary><c>masked_spec_embed</c> [d] where training masks, <c>feature_extractor</c>, <c>feature_projection</c>, <c>encoder</c>.</summary>
internal sealed class Wav2Vec2Model : Module
{
    private readonly Parameter? _mask;
    private readonly FeatureProjection _projection;
    private readonly Wav2Vec2Encoder _encoder;

    public Wav2Vec2Model(BuildContext context, Wav2Vec2Config config)
    {
        _mask = config.HasMaskEmbedding
            ? AddParameter(Wav2Vec2Files.MaskEmbeddingName, context, new Shape(config.HiddenSize), (parameter, key) => parameter.FillUniform(0, 1, key))
            : null;
        FeatureEncoder = AddModule("feature_extractor", new FeatureEncoder(context, config));
        _projection = AddModule("feature_projection", new FeatureProjection(context, config));
        _encoder = AddModule("encoder", new Wav2Vec2Encoder(context, config));
    }

    public FeatureEncoder FeatureEncoder { get; }

    /// <summary>[B, T, channels] → [B, T, d].</summary>
    public Tensor Encode(Tensor features, SpeechInput input, ForwardContext context, List<Tensor>? states) =>
        _encoder.Forward(() => Masked(_projection.Forward(features, context), input), input.FrameLengths, context, states);

    private Tensor Masked(Tensor x, SpeechInput input)
    {
        if (input.TimeMask is { } time)
        {
            x = x.ReplaceRows(time, _mask?.Value ?? throw new CaldException("this model has no embedding for masked frames: its config has mask_time_prob 0; set it above 0 to train with SpecAugment"));
        }

        return input.FeatureMask is { } features ? x.MaskFeatures(features) : x;
    }
}
