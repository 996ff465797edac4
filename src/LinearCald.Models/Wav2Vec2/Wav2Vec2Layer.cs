using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Wav2Vec2;

/// <summary>The feed-forward block: <c>intermediate_dense</c>, activation, dropout, <c>output_dense</c>.</summary>
internal sealed class Wav2Vec2FeedForward : Module
{
    private readonly Linear _up;
    private readonly Linear _down;
    private readonly double _dropout;

    public Wav2Vec2FeedForward(BuildContext context, Wav2Vec2Config config)
    {
        _dropout = config.ActivationDropout;
        _up = AddModule("intermediate_dense", new Linear(context, config.HiddenSize, config.IntermediateSize, config.InitialiserRange, config.Activation));
        _down = AddModule("output_dense", new Linear(context, config.IntermediateSize, config.HiddenSize, config.InitialiserRange));
    }

    /// <summary>[B, T, d] in the compute type → [B, T, d] in the parameters' type.</summary>
    public Tensor Forward(Tensor x, ForwardContext context) =>
        _down.Forward(_up.Forward(x).Dropout(context.Probability(_dropout), context.NextKey()), _down.Weight.Value.Type);
}

/// <summary>
/// A layer, with norms before (stable) a = x + D(M(LN₁ x)), y = a + D(F(LN₂ a)), or after a = LN₁(x + D(M x)), y = LN₂(a + D(F a)), where D is dropout, M the mixer and F
/// the feed-forward block: <c>attention</c>, <c>layer_norm</c>, <c>feed_forward</c>, <c>final_layer_norm</c>. The residual stream has the parameters' type.
/// </summary>
internal sealed class Wav2Vec2Layer : Module
{
    private readonly Wav2Vec2Config _config;
    private readonly TokenMixer _mixer;
    private readonly LayerNorm _mixerNorm;
    private readonly Wav2Vec2FeedForward _feedForward;
    private readonly LayerNorm _feedForwardNorm;

    public Wav2Vec2Layer(BuildContext context, Wav2Vec2Config config)
    {
        _config = config;
        _mixer = AddModule<TokenMixer>("attention", config.BiMamba2 is { } mixer
            ? new BiMamba2Mixer(context, config.HiddenSize, mixer)
            : new SelfAttention(context, config.Attention, AttentionNames.Bart));
        _mixerNorm = AddModule("layer_norm", new LayerNorm(context, config.HiddenSize, config.LayerNormEpsilon));
        _feedForward = AddModule("feed_forward", new Wav2Vec2FeedForward(context, config));
        _feedForwardNorm = AddModule("final_layer_norm", new LayerNorm(context, config.HiddenSize, config.LayerNormEpsilon));
    }

    /// <summary>[B, T, d] → [B, T, d]. What lies between and the tape does not need returns to the pool at once.</summary>
    public Tensor Forward(Tensor x, Tensor? lengths, ForwardContext context)
    {
        using MemoryScope scope = MemoryScope.Begin();
        double p = context.Probability(_config.HiddenDropout);
        if (_config.StableLayerNorm)
        {
            Tensor a = x.Add(Mixed(_mixerNorm.Forward(x), lengths, context).Dropout(p, context.NextKey()));
            Tensor f = _feedForward.Forward(context.Compute(_feedForwardNorm.Forward(a)), context);
            return scope.Keep(a.Add(f.Dropout(p, context.NextKey())));
        }

        Tensor b = _mixerNorm.ForwardResidual(x, Mixed(x, lengths, context), p, context.NextKey());
        return scope.Keep(_feedForwardNorm.ForwardResidual(b, _feedForward.Forward(context.Compute(b), context), p, context.NextKey()));
    }

    private Tensor Mixed(Tensor x, Tensor? lengths, ForwardContext context)
    {
        using MemoryScope scope = MemoryScope.Begin();
        return scope.Keep(_mixer.Forward(x, lengths, context));
    }
}
