using LinearCald.Models.Linformer;
using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Memory;

namespace LinearCald.Models.Roberta;

/// <summary>
/// A linear map whose result is dropped out, added to a residual and normalised: <c>dense</c>, <c>LayerNorm</c>. In mixed precision h has the compute type, the
/// product is written in the residual's float32, and so are sum and norm.
/// </summary>
internal sealed class RobertaOutput : Module
{
    private readonly Linear _dense;
    private readonly LayerNorm _norm;
    private readonly double _dropout;

    public RobertaOutput(BuildContext context, RobertaConfig config, int inputs)
    {
        _dropout = config.HiddenDropout;
        _dense = AddModule("dense", new Linear(context, inputs, config.HiddenSize, config.InitialiserRange));
        _norm = AddModule("LayerNorm", new LayerNorm(context, config.HiddenSize, config.LayerNormEpsilon));
    }

    public Tensor Forward(Tensor h, Tensor residual, ForwardContext context) =>
        _norm.ForwardResidual(residual, _dense.Forward(h, residual.Type), context.Probability(_dropout), context.NextKey());
}

/// <summary>The mixer and its output map: <c>self</c>, <c>output</c>.</summary>
internal sealed class RobertaAttention : Module
{
    private readonly TokenMixer _self;
    private readonly RobertaOutput _output;

    public RobertaAttention(BuildContext context, RobertaConfig config, Parameter? sharedProjection)
    {
        _self = AddModule<TokenMixer>("self", config.Linformer is null
            ? new SelfAttention(context, config.Attention, AttentionNames.Bert)
            : new LinformerSelfAttention(context, config, sharedProjection));
        _output = AddModule("output", new RobertaOutput(context, config, config.HiddenSize));
    }

    public Tensor Forward(Tensor x, Tensor? lengths, ForwardContext context) =>
        _output.Forward(_self.Forward(x, lengths, context), x, context);
}

/// <summary>The first half of the feed-forward block: <c>dense</c> and the activation.</summary>
internal sealed class RobertaIntermediate : Module
{
    private readonly Linear _dense;

    public RobertaIntermediate(BuildContext context, RobertaConfig config)
    {
        _dense = AddModule("dense", new Linear(context, config.HiddenSize, config.IntermediateSize, config.InitialiserRange, config.Activation));
    }

    public Tensor Forward(Tensor x) => _dense.Forward(x);
}

/// <summary>
/// A post-norm layer: a = LN(x + W_o mixer(x)); y = LN(a + W₂ gelu(W₁ a)). Parts <c>attention</c>, <c>intermediate</c>, <c>output</c>.
/// </summary>
internal sealed class RobertaLayer : Module
{
    private readonly RobertaAttention _attention;
    private readonly RobertaIntermediate _intermediate;
    private readonly RobertaOutput _output;

    public RobertaLayer(BuildContext context, RobertaConfig config, Parameter? sharedProjection)
    {
        _attention = AddModule("attention", new RobertaAttention(context, config, sharedProjection));
        _intermediate = AddModule("intermediate", new RobertaIntermediate(context, config));
        _output = AddModule("output", new RobertaOutput(context, config, config.IntermediateSize));
    }

    /// <summary>[B, L, d] → [B, L, d]. What lies between and the tape does not need returns to the pool at once.</summary>
    public Tensor Forward(Tensor x, Tensor? lengths, ForwardContext context)
    {
        using MemoryScope scope = MemoryScope.Begin();
        Tensor a = _attention.Forward(x, lengths, context);
        return scope.Keep(_output.Forward(_intermediate.Forward(context.Compute(a)), a, context));
    }
}
