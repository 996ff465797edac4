using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda;

/// <content>Convolutions along the sequence.</content>
internal sealed partial class GpuBackend
{
    public override void CausalConv1d(Tensor x, Tensor w, Tensor? bias, Activation f, Tensor? sequences, Tensor? lengths, Tensor? state, bool reverse, Tensor y) =>
        CausalConv.Forward(_accelerator, Problem(x, w, bias, f, sequences, lengths, reverse), AddressOrZero(state), Address(y));

    public override void CausalConv1dGradient(
        Tensor gy, Tensor x, Tensor w, Tensor? bias, Activation f, Tensor? sequences, Tensor? lengths, bool reverse, Tensor? gx, Tensor? gw, bool accumulateW, Tensor? gbias, bool accumulateBias) =>
        CausalConv.Backward(
            _accelerator, Problem(x, w, bias, f, sequences, lengths, reverse), Address(gy), AddressOrZero(gx), gx?.Pitch() ?? 0, AddressOrZero(gw), accumulateW, AddressOrZero(gbias), accumulateBias);

    private static ConvProblem Problem(Tensor x, Tensor w, Tensor? bias, Activation f, Tensor? sequences, Tensor? lengths, bool reverse) => new(
        x.Type, x.Shape[0], x.Shape[1], x.Shape[2], w.Shape[2], f == Activation.Silu, reverse, Address(x), x.Pitch(), Address(w), AddressOrZero(bias), AddressOrZero(sequences),
        AddressOrZero(lengths));
}
