using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda;

/// <content>The scan of Mamba-2.</content>
internal sealed partial class GpuBackend
{
    public override void SsdScan(SsdArguments arguments, Tensor y, Tensor? saved) => throw NoSsdKernel();

    public override void SsdScanGradient(SsdArguments arguments, Tensor? saved, Tensor gy, in SsdGradients gradients) => throw NoSsdKernel();

    private CaldException NoSsdKernel() => new($"SsdScan: there is no kernel for {_device.Name} yet; run with --device cpu");
}
