using LinearCald.Data.Batching;
using LinearCald.Models.Roberta;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Training;

/// <summary>The inputs of a micro-batch of one shape, always at the same place on the device, so that recorded work finds the next batch there.</summary>
internal sealed class StepInputs : IDisposable
{
    private readonly RobertaConfig _config;

    /// <param name="config">The model's.</param>
    /// <param name="device">Where the tensors live.</param>
    /// <param name="batch">B.</param>
    /// <param name="length">L.</param>
    public StepInputs(RobertaConfig config, Device device, int batch, int length)
    {
        _config = config;
        Input = new RobertaInput(Integers(batch, length), Integers(batch, length), Integers(batch, length), Integers(batch));
        Labels = Integers(batch);
        InversePositions = Tensor.Persistent(() => Tensor.Zeros(device, DType.Float32, default));

        Tensor Integers(params ReadOnlySpan<int> extents)
        {
            Shape shape = new(extents);
            return Tensor.Persistent(() => Tensor.Zeros(device, DType.Int32, shape));
        }
    }

    public RobertaInput Input { get; }

    /// <summary>int32 [B].</summary>
    public Tensor Labels { get; }

    /// <summary>1 / Σ lengths, one element.</summary>
    public Tensor InversePositions { get; }

    /// <summary>Uploads a batch.</summary>
    public void Set(TokenBatch batch)
    {
        Input.Ids.Set<int>(batch.Ids);
        Input.Positions.Set<int>(RobertaInput.PositionsOf(_config, batch.Ids, batch.Lengths));
        Input.Lengths.Set<int>(batch.Lengths);
        Labels.Set<int>(batch.Labels);
        InversePositions.Set<float>([1f / Math.Max(1, batch.TokenCount)]);
    }

    public void Dispose()
    {
        Input.Ids.Dispose();
        Input.Positions.Dispose();
        Input.Types.Dispose();
        Input.Lengths.Dispose();
        Labels.Dispose();
        InversePositions.Dispose();
    }
}
