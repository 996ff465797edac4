using LinearCald.Tensors.Memory;

namespace LinearCald.Tensors.Cuda;

/// <summary>A block of an accelerator's memory.</summary>
internal sealed class GpuStorage : Storage, IDisposable
{
    private readonly GpuDevice _device;

    public GpuStorage(GpuDevice device, nint address, long bytes)
        : base(device, bytes)
    {
        _device = device;
        Address = address;
    }

    /// <summary>Only for buffers that were dropped without being disposed of; the accelerator is not for this thread, so the device frees it later.</summary>
    ~GpuStorage() => _device.FreeLater(Address);

    /// <summary>The first byte, on the device.</summary>
    public nint Address { get; }

    /// <summary>Gives the block back; the device calls it when the buffer is recycled.</summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _device.Accelerator.Free(Address);
    }
}
