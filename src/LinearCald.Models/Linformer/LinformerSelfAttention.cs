using LinearCald.Models.Roberta;
using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Linformer;

/// <summary>
/// The mixer that replaces RoBERTa's self-attention (Wang et al. 2020). It keeps <c>query</c>, <c>key</c> and <c>value</c> of the transformer and adds the
/// projections <c>proj_k</c> and, unless shared, <c>proj_v</c>, both [positions, rank].
/// </summary>
internal sealed class LinformerSelfAttention : TokenMixer
{
    private readonly AttentionSizes _sizes;
    private readonly Linear _query;
    private readonly Linear _key;
    private readonly Linear _value;
    private readonly Parameter _projectKeys;
    private readonly Parameter _projectValues;

    /// <param name="context">Where the parameters are made.</param>
    /// <param name="config">A config with a Linformer part.</param>
    /// <param name="shared">The one projection of all layers when they share it; it belongs to the encoder.</param>
    public LinformerSelfAttention(BuildContext context, RobertaConfig config, Parameter? shared)
    {
        _sizes = config.Attention;
        LinformerConfig linformer = config.Linformer!;
        AttentionNames names = AttentionNames.Bert;
        _query = AddModule(names.Query, _sizes.NewMap(context));
        _key = AddModule(names.Key, _sizes.NewMap(context));
        _value = AddModule(names.Value, _sizes.NewMap(context));
        Shape shape = new(linformer.Positions, linformer.Rank);
        _projectKeys = shared ?? AddParameter("proj_k", context, shape, ProjectionInitialiser.For(linformer));
        _projectValues = linformer.Sharing == ProjectionSharing.None
            ? AddParameter("proj_v", context, shape, ProjectionInitialiser.For(linformer))
            : _projectKeys;
    }

    /// <summary>[B, L, d] → [B, L, d] in the compute type: the output map does not belong to the mixer.</summary>
    public override Tensor Forward(Tensor x, Tensor? lengths, ForwardContext context)
    {
        x = context.Compute(x);
        return _query.Forward(x).LinformerAttention(
            _key.Forward(x), _value.Forward(x), _projectKeys.Value, _projectValues.Value, lengths, _sizes.Options(context));
    }
}
