using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Roberta;

/// <summary>Softmax self-attention without its output map: parameters <c>query</c>, <c>key</c>, <c>value</c>.</summary>
internal sealed class RobertaSelfAttention : TokenMixer
{
    private readonly RobertaConfig _config;
    private readonly Linear _query;
    private readonly Linear _key;
    private readonly Linear _value;

    public RobertaSelfAttention(BuildContext context, RobertaConfig config)
    {
        _config = config;
        _query = AddModule("query", new Linear(context, config.HiddenSize, config.HiddenSize, config.InitialiserRange));
        _key = AddModule("key", new Linear(context, config.HiddenSize, config.HiddenSize, config.InitialiserRange));
        _value = AddModule("value", new Linear(context, config.HiddenSize, config.HiddenSize, config.InitialiserRange));
    }

    public override Tensor Forward(Tensor x, Tensor? lengths, ForwardContext context)
    {
        AttentionOptions options = new(
            _config.Heads,
            Causal: false,
            1 / Math.Sqrt((double)_config.HiddenSize / _config.Heads),
            context.Probability(_config.AttentionDropout),
            context.NextKey());
        return _query.Forward(x).Attention(_key.Forward(x), _value.Forward(x), lengths, options);
    }
}
