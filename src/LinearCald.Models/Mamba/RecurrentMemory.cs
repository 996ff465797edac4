using LinearCald.Models.Language;
using LinearCald.Tensors;
using LinearCald.Tensors.Memory;

namespace LinearCald.Models.Mamba;

/// <summary>The last inputs of a mixer's convolution [B, K − 1, C] and the state of its scan: as large after a million tokens as after one.</summary>
internal sealed class RecurrentMemory : LayerMemory
{
    private Tensor? _rates;

    public RecurrentMemory(Device device, DType type, Shape convolution, Shape state)
    {
        Convolution = Tensor.Persistent(() => Tensor.Zeros(device, type, convolution));
        State = Tensor.Persistent(() => Tensor.Zeros(device, type, state));
    }

    public Tensor Convolution { get; }

    public Tensor State { get; }

    public override long Bytes => (Convolution.Count + State.Count) * State.Type.Size();

    /// <summary>The decay rates A of the layer's scan, computed at the first step of a text and kept: weights do not change while one is read.</summary>
    /// <param name="compute">Computes them.</param>
    public Tensor Rates(Func<Tensor> compute)
    {
        if (_rates is null)
        {
            using MemoryScope scope = MemoryScope.Begin();
            Tensor rates = compute();
            _rates = Tensor.Persistent(() => Tensor.Empty(rates.Device, rates.Type, rates.Shape));
            _rates.CopyFrom(rates);
        }

        return _rates;
    }

    public override void Reset()
    {
        _rates?.Dispose();
        _rates = null;
        Convolution.FillWith(0);
        State.FillWith(0);
    }

    public override void Dispose()
    {
        _rates?.Dispose();
        Convolution.Dispose();
        State.Dispose();
    }
}
