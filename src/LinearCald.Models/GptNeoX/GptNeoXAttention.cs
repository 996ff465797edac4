using LinearCald.Models.Language;
using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.GptNeoX;

/// <summary>Causal softmax attention with rotary positions (Su et al. 2021) on a share of each head: <c>query_key_value</c>, <c>dense</c>.</summary>
internal sealed class GptNeoXAttention : CausalMixer
{
    private readonly GptNeoXConfig _config;
    private readonly Linear _queryKeyValue;
    private readonly Linear _dense;

    public GptNeoXAttention(BuildContext context, GptNeoXConfig config)
    {
        _config = config;
        Initialiser weight = Initialisers.Normal(config.InitialiserRange);
        Initialiser? bias = config.AttentionBias ? Initialisers.Constant(0) : null;
        _queryKeyValue = AddModule("query_key_value", new Linear(context, config.HiddenSize, 3 * config.HiddenSize, weight, bias));
        _dense = AddModule("dense", new Linear(context, config.HiddenSize, config.HiddenSize, weight, bias));
    }

    public override Tensor Forward(Tensor x, LanguageInput input, ForwardContext context, LayerMemory? memory, DType output)
    {
        KeyValueCache? cache = (KeyValueCache?)memory;
        x = context.Compute(x);
        int batch = x.Shape[0];
        int length = x.Shape[1];
        Tensor heads = _queryKeyValue.Forward(x) // [B, L, H · 3 · d/H]
            .SplitHeadsRotary(_config.Heads, _config.RotaryDimensions, _config.RotaryBase, cache?.Count ?? 0); // [3, B, L, d]
        Tensor q = heads.Narrow(0, 0, 1).Reshape(batch, length, _config.HiddenSize);
        Tensor k = heads.Narrow(0, 1, 1).Reshape(batch, length, _config.HiddenSize);
        Tensor v = heads.Narrow(0, 2, 1).Reshape(batch, length, _config.HiddenSize);
        AttentionOptions options = new(
            _config.Heads,
            Causal: true,
            1 / Math.Sqrt((double)_config.HiddenSize / _config.Heads),
            context.Probability(_config.AttentionDropout),
            context.NextKey());
        if (cache is null)
        {
            // Lengths say nothing to causal attention within documents: what lies behind a text is behind all its queries.
            return _dense.Forward(input.Documents is { } documents ? q.DocumentAttention(k, v, documents, options) : q.Attention(k, v, input.Lengths, options), output);
        }

        cache.Append(k, v);
        return _dense.Forward(cache.Attend(q, options), output);
    }

    public override LayerMemory NewMemory(int batch, int capacity) => new KeyValueCache(batch, Math.Min(capacity, _config.MaximumPositions));
}
