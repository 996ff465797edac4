namespace LinearCald.Tensors.Cuda;

/// <content>Group normalisation.</content>
internal sealed partial class GpuBackend
{
    public override void GroupNorm(Tensor x, int groups, Tensor? w, Tensor? b, double eps, Tensor y, Tensor mean, Tensor rstd) => throw NoKernel("GroupNorm");

    public override void GroupNormGradient(
        Tensor gy, Tensor x, int groups, Tensor? w, Tensor mean, Tensor rstd, Tensor? gx, Tensor? gw, bool accumulateW, Tensor? gb, bool accumulateB) =>
        throw NoKernel("GroupNorm");
}
