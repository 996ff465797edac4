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

    /// <summary>Which examples make up which update of training.</summary>
    public abstract UpdateOrder Order(OptimisationRecipe recipe);

    /// <summary>Updates that count as an epoch.</summary>
    public virtual int UpdatesPerEpoch(OptimisationRecipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return recipe.UpdatesPerEpoch(Rows);
    }

    /// <summary>Updates of a whole run.</summary>
    public int TotalUpdates(OptimisationRecipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return recipe.TotalUpdates(UpdatesPerEpoch(recipe));
    }

    /// <summary>What a micro-batch counts in its update: its losses enter with this over the sum of all.</summary>
    /// <param name="rows">Indices of its examples.</param>
    public virtual double Weight(ReadOnlySpan<int> rows) => rows.Length;

    /// <summary>Puts training examples into one micro-batch.</summary>
    /// <param name="rows">Indices of the examples.</param>
    /// <param name="lengthMultiple">The length is padded to a multiple of it.</param>
    /// <param name="draw">Decides what is random in it: another number for every micro-batch of a run; null for nothing random.</param>
    public abstract TaskBatch Collate(ReadOnlySpan<int> rows, int lengthMultiple, ulong? draw);

    /// <summary>Threads that put micro-batches together ahead of their use; 0 where that takes next to no time. <see cref="Order"/> and <see cref="Collate"/> are then asked by several at once.</summary>
    public virtual int Readers => 0;

    /// <summary>Uploads a micro-batch; its tensors belong to the current memory scope.</summary>
    public abstract TaskInput Upload(Device device, TaskBatch batch);

    /// <summary>A place on the device for micro-batches of the same count and length.</summary>
    public abstract TaskInput Reserve(Device device, TaskBatch like);

    /// <summary>How well a model does on a part, without dropout.</summary>
    /// <param name="model">A model of this task.</param>
    /// <param name="part">A part that is not empty.</param>
    /// <param name="batchSize">Examples at a time.</param>
    /// <param name="device">Where the model is.</param>
    /// <param name="computeType">The type of activations; null for float32.</param>
    public abstract Evaluation Evaluate(TaskModel model, DataPart part, int batchSize, Device device, DType? computeType);
}
