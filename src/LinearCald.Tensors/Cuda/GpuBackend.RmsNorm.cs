namespace LinearCald.Tensors.Cuda;

/// <content>Root mean square normalisation.</content>
internal sealed partial class GpuBackend
{
    public override void RmsNorm(Tensor x, Tensor? z, Tensor w, double eps, int groups, Tensor y, Tensor rstd) => throw NoKernel("RmsNorm");

    public override void RmsNormGradient(Tensor gy, Tensor x, Tensor? z, Tensor w, Tensor rstd, int groups, Tensor? gx, Tensor? gz, Tensor? gw, bool accumulateW) =>
        throw NoKernel("RmsNorm");

    private CaldException NoKernel(string operation) => new($"{operation}: there is no kernel for {_device.Name} yet; run with --device cpu");
}
