using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda;

/// <content>The optimiser.</content>
internal sealed partial class GpuBackend
{
    private MultiTensorAdamW? _adamW;
    private TensorTableEntry[] _entries = [];

    public override void AddSumOfSquares(Tensor x, Tensor total) => Optimiser.AddSumOfSquares(_accelerator, x.Type, Address(x), x.Count, Address(total));

    public override void AdamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, in AdamWStep step)
    {
        RequireFloat32(parameter, gradient);
        Optimiser.AdamW(_accelerator, Address(parameter), Address(gradient), Address(m), Address(v), parameter.Count, step);
    }

    public override void AdamWAll(IReadOnlyList<AdamWSlot> slots, IReadOnlyList<Tensor> others, in AdamWStep step, double clipNorm, Tensor total, Tensor leftOut)
    {
        _adamW ??= new MultiTensorAdamW(_accelerator);
        if (_entries.Length != slots.Count + others.Count)
        {
            _entries = new TensorTableEntry[slots.Count + others.Count];
        }

        for (int i = 0; i < slots.Count; i++)
        {
            AdamWSlot slot = slots[i];
            RequireFloat32(slot.Parameter, slot.Gradient);
            _entries[i] = new TensorTableEntry(
                Address(slot.Parameter), Address(slot.Gradient), Address(slot.Mean), Address(slot.Square), slot.Parameter.Count, slot.Decays);
        }

        for (int i = 0; i < others.Count; i++)
        {
            RequireFloat32(others[i], others[i]);
            _entries[slots.Count + i] = new TensorTableEntry(0, Address(others[i]), 0, 0, others[i].Count, false);
        }

        _adamW.Prepare(_entries, step, clipNorm);
        _adamW.Launch(Address(total), Address(leftOut));
    }

    private void RequireFloat32(Tensor parameter, Tensor gradient)
    {
        if (parameter.Type != DType.Float32 || gradient.Type != DType.Float32)
        {
            throw new CaldException($"AdamW: {_device.Name} updates Float32 parameters by Float32 gradients, not {parameter.Type} by {gradient.Type}; keep master weights in Float32");
        }
    }
}
