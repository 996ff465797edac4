using System.Numerics;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cpu;

/// <content>Convolutions along the sequence.</content>
internal sealed unsafe partial class CpuBackend
{
    public override void CausalConv1d(Tensor x, Tensor w, Tensor? bias, Activation f, Tensor? sequences, Tensor? lengths, Tensor? state, bool reverse, Tensor y)
    {
        switch (x.Type)
        {
            case DType.Float32:
                CausalConv1d<float>(x, w, bias, f, sequences, lengths, state, reverse, y);
                break;
            case DType.Float64:
                CausalConv1d<double>(x, w, bias, f, sequences, lengths, state, reverse, y);
                break;
            default:
                throw Unsupported("CausalConv1d", x);
        }
    }

    public override void CausalConv1dGradient(
        Tensor gy, Tensor x, Tensor w, Tensor? bias, Activation f, Tensor? sequences, Tensor? lengths, bool reverse, Tensor? gx, Tensor? gw, bool accumulateW, Tensor? gbias, bool accumulateBias)
    {
        switch (x.Type)
        {
            case DType.Float32:
                CausalConv1dGradient<float>(gy, x, w, bias, f, sequences, lengths, reverse, gx, gw, accumulateW, gbias, accumulateBias);
                break;
            case DType.Float64:
                CausalConv1dGradient<double>(gy, x, w, bias, f, sequences, lengths, reverse, gx, gw, accumulateW, gbias, accumulateBias);
                break;
            default:
                throw Unsupported("CausalConv1d", x);
        }
    }

    private static ConvShape ShapeOf(Tensor x, Tensor w, bool reverse) => new(x.Shape[0], x.Shape[1], x.Shape[2], w.Shape[2], reverse);

    private static void CausalConv1d<T>(Tensor x, Tensor w, Tensor? bias, Activation f, Tensor? sequences, Tensor? lengths, Tensor? state, bool reverse, Tensor y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => CausalConv.Forward(
        ShapeOf(x, w, reverse), Pointer<T>(x), x.Pitch(), Pointer<T>(w), PointerOrNull<T>(bias), f == Activation.Silu,
        PointerOrNull<int>(sequences), PointerOrNull<int>(lengths), PointerOrNull<T>(state), Pointer<T>(y));

    private static void CausalConv1dGradient<T>(
        Tensor gy, Tensor x, Tensor w, Tensor? bias, Activation f, Tensor? sequences, Tensor? lengths, bool reverse, Tensor? gx, Tensor? gw, bool accumulateW, Tensor? gbias, bool accumulateBias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => CausalConvGradient.Run(
        ShapeOf(x, w, reverse), Pointer<T>(gy), Pointer<T>(x), x.Pitch(), Pointer<T>(w), PointerOrNull<T>(bias), f == Activation.Silu,
        PointerOrNull<int>(sequences), PointerOrNull<int>(lengths), PointerOrNull<T>(gx), gx?.Pitch() ?? 0, PointerOrNull<T>(gw), accumulateW, PointerOrNull<T>(gbias), accumulateBias);
}
