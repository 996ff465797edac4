using LinearCald.Models.Linformer;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Models.Roberta;

/// <summary>The stack of layers: <c>layer.0</c>, <c>layer.1</c>, … and, for a student whose layers share one projection, <c>proj</c>.</summary>
internal sealed class RobertaEncoder : Module
{
    private readonly RobertaLayer[] _layers;

    public RobertaEncoder(BuildContext context, RobertaConfig config)
    {
        Parameter? shared = config.Linformer is { Sharing: ProjectionSharing.Layer } linformer
            ? AddParameter("proj", context, new Shape(linformer.Positions, linformer.Rank), ProjectionInitialiser.For(linformer))
            : null;
        _layers = new RobertaLayer[config.Layers];
        for (int i = 0; i < _layers.Length; i++)
        {
            _layers[i] = AddModule($"layer.{i}", new RobertaLayer(context, config, shared));
        }
    }

    /// <summary>[B, L, d] → [B, L, d]; adds the output of every layer to <paramref name="states"/> when it is given.</summary>
    public Tensor Forward(Tensor x, Tensor? lengths, ForwardContext context, List<Tensor>? states)
    {
        foreach (RobertaLayer layer in _layers)
        {
            x = CheckpointedLayer.Forward(x, context, (input, pass) => layer.Forward(input, lengths, pass));
            states?.Add(x);
        }

        return x;
    }
}
