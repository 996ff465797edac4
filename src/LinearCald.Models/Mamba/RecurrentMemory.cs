using LinearCald.Models.Language;
using LinearCald.Tensors;

namespace LinearCald.Models.Mamba;

/// <summary>The last inputs of a mixer's convolution [B, K − 1, C] and the state of its scan: as large after a million tokens as after one.</summary>
internal sealed class RecurrentMemory : LayerMemory
{
    public RecurrentMemory(Device device, DType type, Shape convolution, Shape state)
    {
        Convolution = Tensor.Persistent(() => Tensor.Zeros(device, type, convolution));
        State = Tensor.Persistent(() => Tensor.Zeros(device, type, state));
    }

    public Tensor Convolution { get; }

    public Tensor State { get; }

    public override long Bytes => (Convolution.Count + State.Count) * State.Type.Size();

    public override void Reset()
    {
        Convolution.FillWith(0);
        State.FillWith(0);
    }

    public override void Dispose()
    {
        Convolution.Dispose();
        State.Dispose();
    }
}
