using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors;

/// <content>The scan of Mamba-2.</content>
internal abstract partial class Backend
{
    /// <summary>What <see cref="SsdScan"/> should leave for <see cref="SsdScanGradient"/>; null where the gradient computes everything again.</summary>
    public virtual Tensor? SsdSaved(SsdArguments arguments) => null;

    /// <summary>See <see cref="SsdScanOperation"/>; <paramref name="saved"/> from <see cref="SsdSaved"/> or null when no gradient is wanted.</summary>
    public abstract void SsdScan(SsdArguments arguments, Tensor y, Tensor? saved);

    /// <summary>Every gradient from that of y.</summary>
    public abstract void SsdScanGradient(SsdArguments arguments, Tensor? saved, Tensor gy, in SsdGradients gradients);
}
