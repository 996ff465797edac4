using System.Numerics;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cpu;

/// <content>Convolutions over all channels, and the normalisation of their weights.</content>
internal sealed unsafe partial class CpuBackend
{
    public override void Conv1d(Tensor x, Tensor w, Tensor? bias, int stride, int padding, int groups, Activation f, Tensor? pre, ProductDigits digits, Tensor y)
    {
        Conv1dShape shape = new(x.Shape[0], x.Shape[1], x.Shape[2], w.Shape[0], w.Shape[1], stride, padding, groups);
        switch (x.Type)
        {
            case DType.Float32:
                Conv1d<float>(shape, x, w, bias, f, pre, y);
                break;
            case DType.Float64:
                Conv1d<double>(shape, x, w, bias, f, pre, y);
                break;
            default:
                throw Unsupported("Conv1d", x);
        }
    }

    public override void Conv1dInputGradient(Tensor gh, Tensor w, int stride, int padding, int groups, ProductDigits digits, Tensor gx)
    {
        Conv1dShape shape = new(gx.Shape[0], gx.Shape[1], gx.Shape[2], w.Shape[0], w.Shape[1], stride, padding, groups);
        switch (gh.Type)
        {
            case DType.Float32:
                Cpu.Conv1d.InputGradient(shape, Pointer<float>(gh), Pointer<float>(w), Pointer<float>(gx));
                break;
            case DType.Float64:
                Cpu.Conv1d.InputGradient(shape, Pointer<double>(gh), Pointer<double>(w), Pointer<double>(gx));
                break;
            default:
                throw Unsupported("Conv1d", gh);
        }
    }

    public override void Conv1dWeightGradient(Tensor gh, Tensor x, int stride, int padding, int groups, Tensor gw)
    {
        Conv1dShape shape = new(x.Shape[0], x.Shape[1], x.Shape[2], gw.Shape[0], gw.Shape[1], stride, padding, groups);
        switch (gh.Type)
        {
            case DType.Float32:
                Cpu.Conv1d.WeightGradient(shape, Pointer<float>(gh), Pointer<float>(x), Pointer<float>(gw));
                break;
            case DType.Float64:
                Cpu.Conv1d.WeightGradient(shape, Pointer<double>(gh), Pointer<double>(x), Pointer<double>(gw));
                break;
            default:
                throw Unsupported("Conv1d", gh);
        }
    }

    public override void WeightNorm(Tensor v, Tensor g, Tensor w, Tensor norm)
    {
        switch (v.Type)
        {
            case DType.Float32:
                Cpu.WeightNorm.Forward(v.Shape.Rows, v.Shape.Last, Pointer<float>(v), Pointer<float>(g), Pointer<float>(w), Pointer<float>(norm));
                break;
            case DType.Float64:
                Cpu.WeightNorm.Forward(v.Shape.Rows, v.Shape.Last, Pointer<double>(v), Pointer<double>(g), Pointer<double>(w), Pointer<double>(norm));
                break;
            default:
                throw Unsupported("WeightNorm", v);
        }
    }

    public override void WeightNormGradient(Tensor gw, Tensor v, Tensor g, Tensor norm, Tensor? gv, bool accumulateV, Tensor? gg, bool accumulateG)
    {
        switch (v.Type)
        {
            case DType.Float32:
                WeightNormGradient<float>(gw, v, g, norm, gv, accumulateV, gg, accumulateG);
                break;
            case DType.Float64:
                WeightNormGradient<double>(gw, v, g, norm, gv, accumulateV, gg, accumulateG);
                break;
            default:
                throw Unsupported("WeightNorm", v);
        }
    }

    private static void Conv1d<T>(Conv1dShape shape, Tensor x, Tensor w, Tensor? bias, Activation f, Tensor? pre, Tensor y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (FusedActivation.Exists(f))
        {
            Cpu.Conv1d.Forward(shape, Pointer<T>(x), Pointer<T>(w), PointerOrNull<T>(bias), f, PointerOrNull<T>(pre), Pointer<T>(y));
            return;
        }

        Cpu.Conv1d.Forward(shape, Pointer<T>(x), Pointer<T>(w), PointerOrNull<T>(bias), Activation.None, null, Pointer<T>(pre ?? y));
        Cpu.Unary.Forward(KindOf(f), Pointer<T>(pre ?? y), Pointer<T>(y), y.Count);
    }

    private static void WeightNormGradient<T>(Tensor gw, Tensor v, Tensor g, Tensor norm, Tensor? gv, bool accumulateV, Tensor? gg, bool accumulateG)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Cpu.WeightNorm.Backward(
        v.Shape.Rows, v.Shape.Last, Pointer<T>(gw), Pointer<T>(v), Pointer<T>(g), Pointer<T>(norm), PointerOrNull<T>(gv), accumulateV, PointerOrNull<T>(gg), accumulateG);
}
