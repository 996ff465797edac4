using LinearCald.Models.Linformer;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;

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
            x = context.Checkpointing ? Checkpointed(layer, x, lengths, context) : layer.Forward(x, lengths, context);
            states?.Add(x);
        }

        return x;
    }

    /// <summary>The second computation of the layer must draw the dropout masks of the first.</summary>
    private static Tensor Checkpointed(RobertaLayer layer, Tensor x, Tensor? lengths, ForwardContext context)
    {
        ulong position = context.Dropout?.Position ?? 0;
        return Checkpoint.Run(x, input =>
        {
            RandomGenerator? again = context.Dropout is null ? null : new RandomGenerator(context.Dropout.Seed);
            again?.Seek(position);
            Tensor y = layer.Forward(input, lengths, new ForwardContext { Dropout = again });
            context.Dropout?.Seek(Math.Max(context.Dropout.Position, again!.Position));
            return y;
        });
    }
}
