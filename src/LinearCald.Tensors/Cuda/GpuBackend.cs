using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda;

/// <summary>
/// Hands tensors to the GPU kernels. They compute in float32 on float32, bfloat16 and float16 data; other types are moved and filled only. Nothing here
/// waits for the device.
/// </summary>
internal sealed partial class GpuBackend : Backend
{
    private readonly GpuDevice _device;
    private readonly Accelerator _accelerator;

    public GpuBackend(GpuDevice device)
    {
        _device = device;
        _accelerator = device.Accelerator;
    }

    /// <summary>The first element.</summary>
    internal static nint Address(Tensor tensor) => ((GpuStorage)tensor.Storage).Address + (nint)(tensor.Offset * tensor.Type.Size());

    private static nint AddressOrZero(Tensor? tensor) => tensor is null ? 0 : Address(tensor);

    private CaldException Unsupported(string operation, Tensor x) => new(
        $"{operation}: {_device.Name} computes on Float32, BFloat16 and Float16, not {x.Type}; convert with To(DType.Float32), or run on the cpu");
}
