using LinearCald.Data.Batching;
using LinearCald.Data.Metrics;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Models.Roberta;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Classification;

/// <summary>A text classification task as token ids, ready for batching.</summary>
/// <param name="labels">Class names in the order of the model's outputs.</param>
/// <param name="train">What is learnt from.</param>
/// <param name="validation">What chooses the best checkpoint.</param>
/// <param name="test">What is reported beside it; null when the task has no labelled test part.</param>
/// <param name="config">Gives vocabulary, positions and padding.</param>
/// <param name="bucketing">Put texts of like length into one batch.</param>
public sealed class ClassificationData(
    IReadOnlyList<string> labels, TokenizedDataset train, TokenizedDataset validation, TokenizedDataset? test, RobertaConfig config, bool bucketing = true)
    : TrainingData
{
    /// <summary>Class names in the order of the model's outputs.</summary>
    public IReadOnlyList<string> Labels { get; } = labels;

    public override int Rows => train.Count;

    public override int Count(DataPart part) => Part(part)?.Count ?? 0;

    public override UpdateOrder Order(OptimisationRecipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        BatchBucketing order = bucketing ? BatchBucketing.Length : BatchBucketing.None;
        return UpdateOrder.Of(BatchSampler.Shuffled(train.Lengths(), recipe.BatchSize, (ulong)recipe.Seed, order), recipe.MicroBatchSize);
    }

    public override TaskBatch Collate(ReadOnlySpan<int> rows, int lengthMultiple, ulong? draw) => new ClassificationBatch(train.Collate(rows, config.PaddingId, lengthMultiple));

    public override TaskInput Upload(Device device, TaskBatch batch) => ClassificationInput.Upload(config, device, ((ClassificationBatch)batch).Texts);

    public override TaskInput Reserve(Device device, TaskBatch like) => ClassificationInput.Reserve(config, device, like.Count, like.Length);

    public override Evaluation Evaluate(TaskModel model, DataPart part, int batchSize, Device device, DType? computeType)
    {
        RobertaForSequenceClassification classifier = ((ClassifierModel)model).Model;
        TokenizedDataset data = Part(part) ?? throw new CaldException("the task has no labelled test part");
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        ClassificationMetrics metrics = new(Labels.Count);
        double loss = 0;
        using Tape.Pause pause = Tape.Paused();
        ForwardContext context = new() { ComputeType = computeType };
        BatchSampler sampler = BatchSampler.Sequential(data.Lengths(), batchSize);
        for (int b = 0; b < sampler.BatchesPerEpoch; b++)
        {
            using MemoryScope scope = MemoryScope.Begin();
            TokenBatch batch = data.Collate(sampler.Batch(0, b), config.PaddingId);
            RobertaInput input = RobertaInput.Create(config, device, batch.Ids, batch.Lengths);
            Tensor logits = classifier.Forward(input, context).Logits;
            Tensor labels = Tensor.From(device, new Shape(batch.Count), batch.Labels);
            loss += logits.CrossEntropy(labels, reduction: Reduction.Sum).Item();
            metrics.AddLogits(logits.ToArray<float>(), batch.Labels);
        }

        Dictionary<string, double> values = new()
        {
            [RecipeSchema.NameOf(TaskMetric.Accuracy)] = metrics.Accuracy,
            [RecipeSchema.NameOf(TaskMetric.F1)] = metrics.F1,
            [RecipeSchema.NameOf(TaskMetric.Matthews)] = metrics.Matthews,
        };
        return new Evaluation(values, loss / data.Count, data.Count, System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    private TokenizedDataset? Part(DataPart part) => part switch
    {
        DataPart.Train => train,
        DataPart.Validation => validation,
        _ => test,
    };
}
