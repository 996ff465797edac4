using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Wav2Vec2;

/// <summary>Positions, norm and layers: <c>pos_conv_embed</c>, <c>layer_norm</c>, <c>layers.0</c>, <c>layers.1</c>, ….</summary>
internal sealed class Wav2Vec2Encoder : Module
{
    private readonly Wav2Vec2Config _config;
    private readonly PositionalConvolution _positions;
    private readonly LayerNorm _norm;
    private readonly Wav2Vec2Layer[] _layers;

    public Wav2Vec2Encoder(BuildContext context, Wav2Vec2Config config)
    {
        _config = config;
        _positions = AddModule("pos_conv_embed", new PositionalConvolution(context, config));
        _norm = AddModule("layer_norm", new LayerNorm(context, config.HiddenSize, config.LayerNormEpsilon));
        _layers = new Wav2Vec2Layer[config.Layers];
        for (int i = 0; i < _layers.Length; i++)
        {
            _layers[i] = AddModule($"layers.{i}", new Wav2Vec2Layer(context, config));
        }
    }

    /// <summary>[B, T, d] → [B, T, d].</summary>
    /// <param name="x">Projected features.</param>
    /// <param name="lengths">int32 [B]: valid frames; null when all are.</param>
    /// <param name="context">What the pass is for.</param>
    /// <param name="states">Gets what enters the first layer, then what leaves each; in the stable variant the last is the result of the final norm.</param>
    public Tensor Forward(Tensor x, Tensor? lengths, ForwardContext context, List<Tensor>? states)
    {
        x = x.MaskRows(lengths); // the positional convolution looks across the end
        x = x.Add(_positions.Forward(x, context).To(x.Type));
        x = _config.StableLayerNorm ? x : _norm.Forward(x);
        x = x.Dropout(context.Probability(_config.HiddenDropout), context.NextKey());
        foreach (Wav2Vec2Layer layer in _layers)
        {
            states?.Add(x);
            if (!IsLeftOut(context))
            {
                x = CheckpointedLayer.Forward(x, context, (stream, pass) => layer.Forward(stream, lengths, pass));
            }
        }

        x = _config.StableLayerNorm ? _norm.Forward(x) : x;
        states?.Add(x);
        return x;
    }

    /// <summary>Whether a training pass leaves a layer out: drawn here on the host, so that a layer that is left out costs nothing.</summary>
    private bool IsLeftOut(ForwardContext context)
    {
        if (context.Probability(_config.LayerDrop) == 0)
        {
            return false;
        }

        RandomKey key = context.NextKey();
        return Philox.Word(key.Seed, key.Stream, 0) < _config.LayerDrop * (1L << 32);
    }
}
