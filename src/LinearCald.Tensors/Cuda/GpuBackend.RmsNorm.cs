using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda;

/// <content>Root mean square normalisation.</content>
internal sealed partial class GpuBackend
{
    public override void RmsNorm(Tensor x, Tensor? z, Tensor w, double eps, int groups, Tensor y, Tensor rstd) =>
        Kernels.RmsNorm.Forward(_accelerator, NormProblem(x, z, w, rstd, groups, null, null), Address(y), eps);

    public override void RmsNormGradient(Tensor gy, Tensor x, Tensor? z, Tensor w, Tensor rstd, int groups, Tensor? gx, Tensor? gz, Tensor? gw, bool accumulateW) =>
        Kernels.RmsNorm.Backward(
            _accelerator, NormProblem(x, z, w, rstd, groups, gx, gz), Address(gy), AddressOrZero(gx), AddressOrZero(gz), AddressOrZero(gw), accumulateW);

    private static RmsNormProblem NormProblem(Tensor x, Tensor? z, Tensor w, Tensor rstd, int groups, Tensor? gx, Tensor? gz)
    {
        RmsNormSizes sizes = new()
        {
            Rows = checked((int)x.Shape.Rows),
            Size = x.Shape.Last / groups,
            Groups = groups,
            PitchX = x.Pitch(),
            PitchZ = z?.Pitch() ?? 0,
            PitchGX = gx?.Pitch() ?? 0,
            PitchGZ = gz?.Pitch() ?? 0,
        };
        return new RmsNormProblem(x.Type, sizes, Address(x), AddressOrZero(z), Address(w), Address(rstd));
    }
}
