using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models;

/// <summary>What checkpoints call the maps of self-attention.</summary>
/// <param name="Query">The map of queries.</param>
/// <param name="Key">The map of keys.</param>
/// <param name="Value">The map of values.</param>
/// <param name="Output">The map of what the heads give; null where it does not belong to the mixer.</param>
internal sealed record AttentionNames(string Query, string Key, string Value, string? Output)
{
    /// <summary>BERT and its kin, whose output map stands beside the attention.</summary>
    public static AttentionNames Bert { get; } = new("query", "key", "value", null);

    /// <summary>BART and its kin, Wav2Vec2 among them.</summary>
    public static AttentionNames Bart { get; } = new("q_proj", "k_proj", "v_proj", "out_proj");
}

/// <summary>Sizes of attention in which every position sees every valid one.</summary>
/// <param name="Width">d, over all heads.</param>
/// <param name="Heads">Number of heads.</param>
/// <param name="Dropout">On the attention weights.</param>
/// <param name="InitialiserRange">Standard deviation of the maps' weights at the start.</param>
internal readonly record struct AttentionSizes(int Width, int Heads, double Dropout, double InitialiserRange)
{
    /// <summary>A map from d to d.</summary>
    public Linear NewMap(BuildContext context) => new(context, Width, Width, InitialiserRange);

    /// <summary>Scores are scaled by 1/√(d / heads).</summary>
    public AttentionOptions Options(ForwardContext context) =>
        new(Heads, Causal: false, 1 / Math.Sqrt((double)Width / Heads), context.Probability(Dropout), context.NextKey());
}

/// <summary>Softmax self-attention over the valid positions.</summary>
internal sealed class SelfAttention : TokenMixer
{
    private readonly AttentionSizes _sizes;
    private readonly Linear _query;
    private readonly Linear _key;
    private readonly Linear _value;
    private readonly Linear? _output;

    public SelfAttention(BuildContext context, AttentionSizes sizes, AttentionNames names)
    {
        _sizes = sizes;
        _query = AddModule(names.Query, sizes.NewMap(context));
        _key = AddModule(names.Key, sizes.NewMap(context));
        _value = AddModule(names.Value, sizes.NewMap(context));
        _output = names.Output is { } output ? AddModule(output, sizes.NewMap(context)) : null;
    }

    /// <summary>[B, L, d] → [B, L, d]: in the parameters' type, that of the residual stream, where there is an output map.</summary>
    public override Tensor Forward(Tensor x, Tensor? lengths, ForwardContext context)
    {
        x = context.Compute(x);
        Tensor y = _query.Forward(x).Attention(_key.Forward(x), _value.Forward(x), lengths, _sizes.Options(context));
        return _output?.Forward(y, _output.Weight.Value.Type) ?? y;
    }
}
