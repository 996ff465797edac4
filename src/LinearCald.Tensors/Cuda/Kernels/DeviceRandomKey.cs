using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// A <see cref="RandomKey"/> as kernels take it: the stream is the key's plus a number in device memory, so that recorded work can be replayed with other
/// random numbers. Made by <see cref="GpuDevice.KeyFor"/>.
/// </summary>
internal readonly struct DeviceRandomKey
{
    /// <summary>As in <see cref="RandomKey.Seed"/>.</summary>
    public readonly ulong Seed;

    private readonly ulong _stream;
    private readonly ReadOnlyView<ulong> _shift;

    /// <param name="key">The key.</param>
    /// <param name="shift">One number in device memory.</param>
    public DeviceRandomKey(RandomKey key, ReadOnlyView<ulong> shift)
    {
        Seed = key.Seed;
        _stream = key.Stream;
        _shift = shift;
    }

    /// <summary>The stream to use. Reads device memory: take it once, at the kernel's start.</summary>
    public ulong Stream => _stream + _shift[0];
}
