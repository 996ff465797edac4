using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda;

/// <content>Scans.</content>
internal sealed unsafe partial class GpuBackend
{
    public override void SelectiveScan(in SelectiveScanInputs x, Tensor y, Tensor? finalState, Tensor? saved) => throw NoScan();

    public override Tensor SelectiveScanSaved(in SelectiveScanInputs x) => throw NoScan();

    public override void SelectiveScanGradient(in SelectiveScanInputs x, Tensor saved, Tensor gy, in SelectiveScanGradients g) => throw NoScan();

    private static CaldException NoScan() => new("SelectiveScan has no kernel for this device yet; run with --device cpu");
}
