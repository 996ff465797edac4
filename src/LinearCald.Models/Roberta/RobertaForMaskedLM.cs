using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Roberta;

/// <summary><c>dense</c> → gelu → <c>layer_norm</c> → the word table, transposed, plus <c>bias</c>.</summary>
internal sealed class RobertaLMHead : Module
{
    private readonly Linear _dense;
    private readonly LayerNorm _norm;
    private readonly Parameter _bias;

    public RobertaLMHead(BuildContext context, RobertaConfig config)
    {
        _bias = AddParameter("bias", context, new Shape(config.VocabularySize), Initialisers.Constant(0));
        _dense = AddModule("dense", new Linear(context, config.HiddenSize, config.HiddenSize, config.InitialiserRange, Activation.GeluErf, digits: ProductDigits.Sixteen));
        _norm = AddModule("layer_norm", new LayerNorm(context, config.HiddenSize, config.LayerNormEpsilon));
    }

    /// <summary>[B, L, d] → [B, L, vocabulary].</summary>
    public Tensor Forward(Tensor x, Parameter words, ForwardContext context)
    {
        Tensor h = _norm.Forward(_dense.Forward(context.Compute(x), x.Type));
        return context.Compute(h).Linear(words.Value, _bias.Value, output: x.Type); // [B, L, vocabulary], never rounded
    }
}

/// <summary>A masked language model whose output table is its word table: <c>roberta</c> and <c>lm_head</c>.</summary>
public sealed class RobertaForMaskedLM : PretrainedRoberta
{
    private readonly RobertaLMHead _head;

    public RobertaForMaskedLM(BuildContext context, RobertaConfig config)
        : base(context, config)
    {
        _head = AddModule("lm_head", new RobertaLMHead(context, config));
    }

    public override string Architecture => "RobertaForMaskedLM";

    /// <summary>Logits [B, L, vocabulary].</summary>
    public override ModelOutput Forward(RobertaInput input, ForwardContext context)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(context);
        List<Tensor>? states = context.HiddenStates ? [] : null;
        Tensor x = Roberta.Forward(input, context, states);
        return new ModelOutput(_head.Forward(x, Roberta.Embeddings.Words.Weight, context), states);
    }
}
