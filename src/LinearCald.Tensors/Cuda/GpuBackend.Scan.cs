using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda;

/// <content>The selective scan.</content>
internal sealed partial class GpuBackend
{
    public override void SelectiveScan(in SelectiveScanInputs x, Tensor y, Tensor? finalState, Tensor? saved)
    {
        if (y.Count > 0)
        {
            SelectiveScanLauncher.Forward(_accelerator, x, y, finalState, saved);
        }
        else if (finalState is not null && x.InitialState is null)
        {
            Fill(finalState, 0);
        }
        else if (finalState is not null)
        {
            Copy(x.InitialState!, finalState);
        }
    }

    public override Tensor SelectiveScanSaved(in SelectiveScanInputs x) => Tensor.Allocate(
        x.U.Device, DType.Float32, new Shape(x.U.Shape[0], SelectiveScanLauncher.Chunks(x.U.Shape[1]), x.A.Shape[0], x.A.Shape[1]));

    public override void SelectiveScanGradient(in SelectiveScanInputs x, Tensor saved, Tensor gy, in SelectiveScanGradients g)
    {
        if (gy.Count > 0)
        {
            SelectiveScanLauncher.Backward(_accelerator, x, saved, gy, g);
            return;
        }

        foreach (Tensor? gradient in (ReadOnlySpan<Tensor?>)[g.A, g.D, g.DeltaBias, g.InitialState, g.B, g.C])
        {
            if (gradient is { Count: > 0 })
            {
                Fill(gradient, 0);
            }
        }
    }
}
