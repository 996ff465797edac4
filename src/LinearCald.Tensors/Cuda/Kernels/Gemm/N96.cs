using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>96: sums of a thread in blocks of 192 columns.</summary>
internal readonly struct N96 : ICount
{
    /// <inheritdoc/>
    public static int Value => 96;
}
