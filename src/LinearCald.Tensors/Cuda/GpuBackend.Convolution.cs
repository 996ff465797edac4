using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda;

/// <content>Convolutions along the sequence.</content>
internal sealed partial class GpuBackend
{
    public override void CausalConv1d(Tensor x, Tensor w, Tensor? bias, Activation f, Tensor? sequences, Tensor? lengths, Tensor? state, Tensor y) =>
        throw NoKernel("CausalConv1d");

    public override void CausalConv1dGradient(
        Tensor gy, Tensor x, Tensor w, Tensor? bias, Activation f, Tensor? sequences, Tensor? lengths, Tensor? gx, Tensor? gw, bool accumulateW, Tensor? gbias, bool accumulateBias) =>
        throw NoKernel("CausalConv1d");

    private CaldException NoKernel(string operation) => new($"{operation}: there is no kernel for {_device.Name} yet; run with --device cpu");
}
