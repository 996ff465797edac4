using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda;

/// <content>Group normalisation.</content>
internal sealed partial class GpuBackend
{
    public override void GroupNorm(Tensor x, int groups, Tensor? w, Tensor? b, double eps, Tensor y, Tensor mean, Tensor rstd)
    {
        RequireFloat32("GroupNorm", w, b);
        Kernels.GroupNorm.Forward(_accelerator, Problem(x, groups, w, mean, rstd), AddressOrZero(b), Address(y), eps);
    }

    public override void GroupNormGradient(
        Tensor gy, Tensor x, int groups, Tensor? w, Tensor mean, Tensor rstd, Tensor? gx, Tensor? gw, bool accumulateW, Tensor? gb, bool accumulateB)
    {
        RequireFloat32("GroupNorm", w, null);
        Kernels.GroupNorm.Backward(_accelerator, Problem(x, groups, w, mean, rstd), Address(gy), AddressOrZero(gx), AddressOrZero(gw), accumulateW, AddressOrZero(gb), accumulateB);
    }

    private static GroupNormProblem Problem(Tensor x, int groups, Tensor? w, Tensor mean, Tensor rstd) =>
        new(x.Type, x.Shape[0], x.Shape[1], x.Shape[2], groups, Address(x), AddressOrZero(w), Address(mean), Address(rstd));
}
