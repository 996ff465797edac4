using LinearCald.Data.Batching;
using LinearCald.Distillation.Recipes;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Training;

/// <summary>A part of a task's data.</summary>
public enum DataPart
{
    /// <summary>What is learnt from.</summary>
    Train,

    /// <summary>What chooses the best checkpoint.</summary>
    Validation,

    /// <summary>What is reported beside it.</summary>
    Test,
}

/// <summary>The examples of a task, ready for batching: one implementation for each kind of task.</summary>
public abstract class TrainingData
{
    /// <summary>Examples to learn from.</summary>
    public abstract int Rows { get; }

    /// <summary>Examples of a part; 0 where the task has no such part.</summary>
    public abstract int Count(DataPart part);

    /// <summary>Which examples make up which batch of training.</summary>
    public abstract BatchSampler Order(OptimisationRecipe recipe);

    /// <summary>Puts training examples into one micro-batch.</summary>
    /// <param name="rows">Indices of the examples.</param>
    /// <param name="lengthMultiple">The length is padded to a multiple of it.</param>
    public abstract TaskBatch Collate(ReadOnlySpan<int> rows, int lengthMultiple);

    /// <summary>Uploads a micro-batch; its tensors belong to the current memory scope.</summary>
    public abstract TaskInput Upload(Device device, TaskBatch batch);

    /// <summary>A place on the device for micro-batches of one shape.</summary>
    public abstract TaskInput Reserve(Device device, int count, int length);

    /// <summary>How well a model does on a part, without dropout.</summary>
    /// <param name="model">A model of this task.</param>
    /// <param name="part">A part that is not empty.</param>
    /// <param name="batchSize">Examples at a time.</param>
    /// <param name="device">Where the model is.</param>
    /// <param name="computeType">The type of activations; null for float32.</param>
    public abstract Evaluation Evaluate(TaskModel model, DataPart part, int batchSize, Device device, DType? computeType);
}
