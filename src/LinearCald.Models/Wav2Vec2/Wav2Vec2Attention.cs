using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Wav2Vec2;

/// <summary>Softmax self-attention over the valid frames: <c>k_proj</c>, <c>v_proj</c>, <c>q_proj</c>, <c>out_proj</c>.</summary>
internal sealed class Wav2Vec2Attention : TokenMixer
{
    private readonly Wav2Vec2Config _config;
    private readonly Linear _key;
    private readonly Linear _value;
    private readonly Linear _query;
    private readonly Linear _out;

    public Wav2Vec2Attention(BuildContext context, Wav2Vec2Config config)
    {
        _config = config;
        _key = AddModule("k_proj", new Linear(context, config.HiddenSize, config.HiddenSize, config.InitialiserRange));
        _value = AddModule("v_proj", new Linear(context, config.HiddenSize, config.HiddenSize, config.InitialiserRange));
        _query = AddModule("q_proj", new Linear(context, config.HiddenSize, config.HiddenSize, config.InitialiserRange));
        _out = AddModule("out_proj", new Linear(context, config.HiddenSize, config.HiddenSize, config.InitialiserRange));
    }

    /// <summary>[B, T, d] in the compute type → [B, T, d] in the parameters' type, that of the residual stream.</summary>
    public override Tensor Forward(Tensor x, Tensor? lengths, ForwardContext context)
    {
        AttentionOptions options = new(
            _config.Heads,
            Causal: false,
            1 / Math.Sqrt((double)_config.HiddenSize / _config.Heads),
            context.Probability(_config.AttentionDropout),
            context.NextKey());
        Tensor y = _query.Forward(x).Attention(_key.Forward(x), _value.Forward(x), lengths, options);
        return _out.Forward(y, _out.Weight.Value.Type);
    }
}
