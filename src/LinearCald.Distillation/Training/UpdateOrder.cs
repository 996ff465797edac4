using LinearCald.Data.Batching;

namespace LinearCald.Distillation.Training;

/// <summary>Which examples make up which update. A function of the update alone, so that a resumed run gets the same ones.</summary>
public abstract class UpdateOrder
{
    /// <summary>Updates that count as an epoch. Where batches are cut by length, other epochs may take a few more or less.</summary>
    public abstract int UpdatesPerEpoch { get; }

    /// <summary>The micro-batches of the update after <paramref name="completed"/> ones: indices of examples.</summary>
    public abstract IReadOnlyList<ReadOnlyMemory<int>> MicroBatches(int completed);

    /// <summary>Batches of so many examples, cut into micro-batches.</summary>
    public static UpdateOrder Of(BatchSampler sampler, int microBatchSize) => new OfFixedSize(sampler, microBatchSize);

    private sealed class OfFixedSize(BatchSampler sampler, int microBatchSize) : UpdateOrder
    {
        public override int UpdatesPerEpoch => sampler.BatchesPerEpoch;

        public override IReadOnlyList<ReadOnlyMemory<int>> MicroBatches(int completed)
        {
            int[] examples = sampler.Batch(completed / UpdatesPerEpoch, completed % UpdatesPerEpoch).ToArray();
            ReadOnlyMemory<int>[] parts = new ReadOnlyMemory<int>[(examples.Length + microBatchSize - 1) / microBatchSize];
            for (int i = 0; i < parts.Length; i++)
            {
                int first = i * microBatchSize;
                parts[i] = examples.AsMemory(first, Math.Min(microBatchSize, examples.Length - first));
            }

            return parts;
        }
    }
}
