using LinearCald.Distillation.Training;
using LinearCald.Models;
using LinearCald.Models.Roberta;
using LinearCald.Nn;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Classification;

/// <summary>A RoBERTa classifier, transformer or Linformer student, in the hands of the trainer.</summary>
public sealed class ClassifierModel(RobertaForSequenceClassification model) : TaskModel
{
    public RobertaForSequenceClassification Model { get; } = model;

    public override Module Module => Model;

    public override bool IsStudent => Model.Config.Linformer is not null;

    public override int Layers => Model.Config.Layers;

    public override TaskPass Run(TaskInput input, ForwardContext context)
    {
        ClassificationInput texts = (ClassificationInput)input;
        ModelOutput output = Model.Forward(texts.Texts, context);
        return new TaskPass(() => output.Logits, () => output.Logits.CrossEntropy(texts.Labels), output.HiddenStates);
    }

    public override void Save(string folder, Action<string>? more = null) => RobertaFiles.Save(Model, folder, more);

    public override bool IsNew(string parameter) => RobertaFiles.IsProjection(parameter);

    protected override bool IsProduct(string parameter) => !parameter.Contains("embeddings", StringComparison.Ordinal) && !IsNew(parameter);

    /// <summary>Scores and their sums over all positions, or over the slots, which each position is first added into.</summary>
    protected override double MixingFlops(int length) =>
        Model.Config.Linformer is { } linformer ? 8.0 * linformer.Rank * Model.Config.HiddenSize : 4.0 * length * Model.Config.HiddenSize;

    protected override bool IsWeight(string parameter) => RobertaFiles.IsDecayed(parameter);
}
