using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Roberta;

/// <summary>dropout → <c>dense</c> → tanh → dropout → <c>out_proj</c> on the first position's state.</summary>
internal sealed class RobertaClassificationHead : Module
{
    private readonly Linear _dense;
    private readonly Linear _out;
    private readonly double _dropout;

    public RobertaClassificationHead(BuildContext context, RobertaConfig config)
    {
        _dropout = config.ClassifierDropout ?? config.HiddenDropout;
        _dense = AddModule("dense", new Linear(context, config.HiddenSize, config.HiddenSize, config.InitialiserRange, Activation.Tanh, digits: ProductDigits.TwentyFour));
        _out = AddModule("out_proj", new Linear(context, config.HiddenSize, config.Labels.Count, config.InitialiserRange, digits: ProductDigits.TwentyFour));
    }

    /// <summary>[B, L, d] → [B, classes].</summary>
    public Tensor Forward(Tensor x, ForwardContext context)
    {
        double p = context.Probability(_dropout);
        Tensor first = x.Narrow(1, 0, 1).Reshape(x.Shape[0], x.Shape[2]).To(_dense.Weight.Value.Type); // [B, d], in full precision from here on
        Tensor h = _dense.Forward(first.Dropout(p, context.NextKey()));
        return _out.Forward(h.Dropout(p, context.NextKey()));
    }
}

/// <summary>A text classifier: <c>roberta</c> and <c>classifier</c>.</summary>
public sealed class RobertaForSequenceClassification : PretrainedRoberta
{
    private readonly RobertaClassificationHead _classifier;

    /// <exception cref="CaldException">The config names no labels.</exception>
    public RobertaForSequenceClassification(BuildContext context, RobertaConfig config)
        : base(context, config)
    {
        if (config.Labels.Count == 0)
        {
            throw new CaldException("a classifier needs class names: the config has no id2label or num_labels");
        }

        _classifier = AddModule("classifier", new RobertaClassificationHead(context, config));
    }

    public override string Architecture => "RobertaForSequenceClassification";

    /// <summary>Logits [B, classes].</summary>
    public override ModelOutput Forward(RobertaInput input, ForwardContext context)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(context);
        List<Tensor>? states = context.HiddenStates ? [] : null;
        Tensor x = Roberta.Forward(input, context, states);
        return new ModelOutput(_classifier.Forward(x, context), states);
    }
}
