using LinearCald.Distillation.Training;
using LinearCald.Models.GptNeoX;
using LinearCald.Models.Language;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Language;

/// <summary>A GPT-NeoX, transformer or Mamba student, in the hands of the trainer.</summary>
public sealed class LanguageTaskModel(GptNeoXForCausalLM model) : TaskModel
{
    public GptNeoXForCausalLM Model { get; } = model;

    public override Module Module => Model;

    public override bool IsStudent => Model.Config.Mamba is not null;

    public override int Layers => Model.Layers;

    /// <summary>The loss goes without the logits of all positions: they are formed only where the output distributions are compared. In 16 bits the product with the
    /// output embedding is of the compute type, and softmax and loss are float32.</summary>
    public override TaskPass Run(TaskInput input, ForwardContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        LanguageTaskInput rows = (LanguageTaskInput)input;
        List<Tensor>? states = context.HiddenStates ? [] : null;
        Tensor hidden = Model.Encode(rows.Rows, context, states);
        return new TaskPass(
            () => Model.Logits(hidden),
            () => context.Compute(hidden.Reshape(-1, Model.HiddenSize)).LinearCrossEntropy(Model.OutputWeight.Value, rows.Labels),
            states);
    }

    public override void Save(string folder, Action<string>? more = null) => LanguageModelFiles.Save(Model, folder, more);

    public override bool IsNew(string parameter) => MambaConversion.IsMixer(parameter);

    protected override bool IsProduct(string parameter) => !parameter.EndsWith("embed_in.weight", StringComparison.Ordinal) && !parameter.EndsWith("A_log", StringComparison.Ordinal);

    /// <summary>Causal scores and their sums over half the positions; or convolution and scan, with nine operations a state.</summary>
    protected override double MixingFlops(int length) => Model.Config.Mamba is { } mamba
        ? mamba.InnerSize * ((2.0 * mamba.ConvKernel) + (9.0 * mamba.StateSize))
        : 2.0 * length * Model.Config.HiddenSize;

    protected override bool IsWeight(string parameter) => MambaConversion.IsDecayed(parameter);
}
