using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Memory;
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
    /// <param name="project">Gives the projected features.</param>
    /// <param name="lengths">int32 [B]: valid frames; null when all are.</param>
    /// <param name="context">What the pass is for.</param>
    /// <param name="states">Gets what enters the first layer, then what leaves each; in the stable variant the last is the result of the final norm.</param>
    public Tensor Forward(Func<Tensor> project, Tensor? lengths, ForwardContext context, List<Tensor>? states)
    {
        using MemoryScope? scope = Scope(states);
        Tensor x = Behind(_layers.Length, project, lengths, context, states);
        x = _config.StableLayerNorm ? _norm.Forward(x) : x;
        states?.Add(x);
        return scope?.Keep(x) ?? x;
    }

    /// <summary>
    /// What leaves layer <paramref name="count"/> − 1, or enters the first. Unless states are asked for, each layer's input returns to the pool behind it: over an hour of
    /// audio, the inputs of all layers are many times what one layer needs.
    /// </summary>
    private Tensor Behind(int count, Func<Tensor> project, Tensor? lengths, ForwardContext context, List<Tensor>? states)
    {
        using MemoryScope? scope = Scope(states);
        if (count == 0)
        {
            Tensor start = Start(project(), lengths, context);
            return scope?.Keep(start) ?? start;
        }

        Tensor x = Behind(count - 1, project, lengths, context, states);
        states?.Add(x);
        Wav2Vec2Layer layer = _layers[count - 1];
        Tensor y = IsLeftOut(context) ? x : CheckpointedLayer.Forward(x, context, (stream, pass) => layer.Forward(stream, lengths, pass));
        return scope?.Keep(y) ?? y;
    }

    private Tensor Start(Tensor x, Tensor? lengths, ForwardContext context)
    {
        x = x.MaskRows(lengths); // the positional convolution looks across the end
        x = x.Add(_positions.Forward(x, context).To(x.Type));
        x = _config.StableLayerNorm ? x : _norm.Forward(x);
        return x.Dropout(context.Probability(_config.HiddenDropout), context.NextKey());
    }

    /// <summary>States belong to whoever asked for them: nothing is given back before.</summary>
    private static MemoryScope? Scope(List<Tensor>? states) => states is null ? MemoryScope.Begin() : null;

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
