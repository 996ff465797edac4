using LinearCald.Data.Batching;
using LinearCald.Data.Metrics;
using LinearCald.Models.Roberta;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Training;

/// <summary>How well a classifier does on a part of a task.</summary>
/// <param name="Accuracy">Fraction right.</param>
/// <param name="F1">F1 of class 1 for two classes, macro F1 otherwise.</param>
/// <param name="Matthews">Matthews correlation.</param>
/// <param name="Loss">Mean cross-entropy.</param>
/// <param name="Examples">How many were evaluated.</param>
/// <param name="Seconds">Wall-clock time.</param>
public sealed record Evaluation(double Accuracy, double F1, double Matthews, double Loss, int Examples, double Seconds)
{
    /// <summary>The metric of that name.</summary>
    public double Of(Recipes.TaskMetric metric) => metric switch
    {
        Recipes.TaskMetric.F1 => F1,
        Recipes.TaskMetric.Matthews => Matthews,
        _ => Accuracy,
    };
}

/// <summary>Runs a classifier over a part of a task, without dropout.</summary>
public static class Evaluator
{
    /// <param name="model">Any classifier.</param>
    /// <param name="data">The part to evaluate on.</param>
    /// <param name="paddingId">Fills short rows.</param>
    /// <param name="batchSize">Examples at a time.</param>
    /// <param name="device">Where the model is.</param>
    /// <param name="computeType">The type of activations; null for float32.</param>
    public static Evaluation Evaluate(RobertaForSequenceClassification model, TokenizedDataset data, int paddingId, int batchSize, Device device, DType? computeType = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        ClassificationMetrics metrics = new(model.Config.Labels.Count);
        double loss = 0;
        using Tensors.Autograd.Tape.Pause pause = Tensors.Autograd.Tape.Paused();
        ForwardContext context = new() { ComputeType = computeType };
        BatchSampler sampler = BatchSampler.Sequential(data.Lengths(), batchSize);
        for (int b = 0; b < sampler.BatchesPerEpoch; b++)
        {
            using MemoryScope scope = MemoryScope.Begin();
            TokenBatch batch = data.Collate(sampler.Batch(0, b), paddingId);
            RobertaInput input = RobertaInput.Create(model.Config, device, batch.Ids, batch.Lengths);
            Tensor logits = model.Forward(input, context).Logits;
            Tensor labels = Tensor.From(device, new Shape(batch.Count), batch.Labels);
            loss += logits.CrossEntropy(labels, reduction: Reduction.Sum).Item();
            metrics.AddLogits(logits.ToArray<float>(), batch.Labels);
        }

        int count = data.Count;
        return new Evaluation(
            metrics.Accuracy, metrics.F1, metrics.Matthews, loss / count, count, System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds);
    }
}
