using LinearCald.Nn;

namespace LinearCald.Models.Roberta;

/// <summary>A RoBERTa with a head, as transformer or as Linformer student.</summary>
public abstract class PretrainedRoberta : Module
{
    private protected PretrainedRoberta(BuildContext context, RobertaConfig config)
    {
        Config = config;
        Roberta = AddModule("roberta", new RobertaModel(context, config));
    }

    public RobertaConfig Config { get; }

    /// <summary>HuggingFace's class name, for <c>config.json</c>.</summary>
    public abstract string Architecture { get; }

    private protected RobertaModel Roberta { get; }

    /// <summary>Runs the model on a batch.</summary>
    public abstract ModelOutput Forward(RobertaInput input, ForwardContext context);
}
