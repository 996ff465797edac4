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
    private readonly RobertaConfig _config;
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
        _config = config;
        LinformerConfig linformer = config.Linformer!;
        _query = AddModule("query", new Linear(context, config.HiddenSize, config.HiddenSize, config.InitialiserRange));
        _key = AddModule("key", new Linear(context, config.HiddenSize, config.HiddenSize, config.InitialiserRange));
        _value = AddModule("value", new Linear(context, config.HiddenSize, config.HiddenSize, config.InitialiserRange));
        Shape shape = new(linformer.Positions, linformer.Rank);
        _projectKeys = shared ?? AddParameter("proj_k", context, shape, ProjectionInitialiser.For(linformer));
        _projectValues = linformer.Sharing == ProjectionSharing.None
            ? AddParameter("proj_v", context, shape, ProjectionInitialiser.For(linformer))
            : _projectKeys;
    }

    public override Tensor Forward(Tensor x, Tensor? lengths, ForwardContext context)
    {
        AttentionOptions options = new(
            _config.Heads,
            Causal: false,
            1 / Math.Sqrt((double)_config.HiddenSize / _config.Heads),
            context.Probability(_config.AttentionDropout),
            context.NextKey());
        return _query.Forward(x).LinformerAttention(
            _key.Forward(x), _value.Forward(x), _projectKeys.Value, _projectValues.Value, lengths, options);
    }
}
