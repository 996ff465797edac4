using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda;

/// <content>The scan of Mamba-2.</content>
internal sealed partial class GpuBackend
{
    public override void SsdScan(SsdArguments arguments, Tensor y, Tensor? saved) => throw NoKernel("SsdScan");

    public override void SsdScanGradient(SsdArguments arguments, Tensor? saved, Tensor gy, in SsdGradients gradients) => throw NoKernel("SsdScan");
}
