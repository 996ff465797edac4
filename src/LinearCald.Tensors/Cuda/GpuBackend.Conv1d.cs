using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda;

/// <content>Convolutions over all channels, and the normalisation of their weights.</content>
internal sealed partial class GpuBackend
{
    public override void Conv1d(Tensor x, Tensor w, Tensor? bias, int stride, int padding, int groups, Activation f, Tensor? pre, Tensor y) =>
        throw NoKernel("Conv1d");

    public override void Conv1dInputGradient(Tensor gh, Tensor w, int stride, int padding, int groups, Tensor gx) => throw NoKernel("Conv1d");

    public override void Conv1dWeightGradient(Tensor gh, Tensor x, int stride, int padding, int groups, Tensor gw) => throw NoKernel("Conv1d");

    public override void WeightNorm(Tensor v, Tensor g, Tensor w, Tensor norm) => throw NoKernel("WeightNorm");

    public override void WeightNormGradient(Tensor gw, Tensor v, Tensor g, Tensor norm, Tensor? gv, bool accumulateV, Tensor? gg, bool accumulateG) =>
        throw NoKernel("WeightNorm");
}
