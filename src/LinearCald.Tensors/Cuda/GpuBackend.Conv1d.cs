using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda;

/// <content>Convolutions over all channels, and the normalisation of their weights.</content>
internal sealed partial class GpuBackend
{
    public override void Conv1d(Tensor x, Tensor w, Tensor? bias, int stride, int padding, int groups, Activation f, Tensor? pre, ProductDigits digits, Tensor y)
    {
        Conv1dProblem problem = ConvolutionOf(x, w.Shape[0], w.Shape[1], stride, padding, groups) with { Precision = PrecisionOf("Conv1d", x, digits) };
        Kernels.Conv1d.Forward(_accelerator, problem, Address(x), Address(w), AddressOrZero(bias), f, AddressOrZero(pre), Address(y));
    }

    public override void Conv1dInputGradient(Tensor gh, Tensor w, int stride, int padding, int groups, ProductDigits digits, Tensor gx)
    {
        Conv1dProblem problem = ConvolutionOf(gx, w.Shape[0], w.Shape[1], stride, padding, groups) with { Precision = PrecisionOf("Conv1d", gh, digits) };
        Kernels.Conv1d.InputGradient(_accelerator, problem, Address(gh), Address(w), Address(gx));
    }

    public override void Conv1dWeightGradient(Tensor gh, Tensor x, int stride, int padding, int groups, Tensor gw) =>
        Kernels.Conv1d.WeightGradient(_accelerator, ConvolutionOf(x, gw.Shape[0], gw.Shape[1], stride, padding, groups), Address(gh), Address(x), gw.Type, Address(gw));

    public override void WeightNorm(Tensor v, Tensor g, Tensor w, Tensor norm)
    {
        RequireFloat32("WeightNorm", v, g);
        Kernels.WeightNorm.Forward(_accelerator, Address(v), Address(g), Address(w), Address(norm), v.Shape.Rows, v.Shape.Last);
    }

    public override void WeightNormGradient(Tensor gw, Tensor v, Tensor g, Tensor norm, Tensor? gv, bool accumulateV, Tensor? gg, bool accumulateG)
    {
        RequireFloat32("WeightNorm", v, g);
        Kernels.WeightNorm.Backward(
            _accelerator, Address(gw), Address(v), Address(g), Address(norm), AddressOrZero(gv), accumulateV, AddressOrZero(gg), accumulateG, v.Shape.Rows, v.Shape.Last);
    }

    private Conv1dProblem ConvolutionOf(Tensor x, int outputs, int taps, int stride, int padding, int groups) =>
        new(x.Type, PrecisionOf("Conv1d", x), x.Shape[0], x.Shape[1], x.Shape[2], outputs, taps, stride, padding, groups);
}
