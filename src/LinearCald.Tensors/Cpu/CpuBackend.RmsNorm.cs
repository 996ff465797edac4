using System.Numerics;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cpu;

/// <content>Root mean square normalisation.</content>
internal sealed unsafe partial class CpuBackend
{
    public override void RmsNorm(Tensor x, Tensor? z, Tensor w, double eps, int groups, Tensor y, Tensor rstd)
    {
        switch (x.Type)
        {
            case DType.Float32:
                RmsNorm<float>(x, z, w, eps, groups, y, rstd);
                break;
            case DType.Float64:
                RmsNorm<double>(x, z, w, eps, groups, y, rstd);
                break;
            default:
                throw Unsupported("RmsNorm", x);
        }
    }

    public override void RmsNormGradient(Tensor gy, Tensor x, Tensor? z, Tensor w, Tensor rstd, int groups, Tensor? gx, Tensor? gz, Tensor? gw, bool accumulateW)
    {
        switch (x.Type)
        {
            case DType.Float32:
                RmsNormGradient<float>(gy, x, z, w, rstd, groups, gx, gz, gw, accumulateW);
                break;
            case DType.Float64:
                RmsNormGradient<double>(gy, x, z, w, rstd, groups, gx, gz, gw, accumulateW);
                break;
            default:
                throw Unsupported("RmsNorm", x);
        }
    }

    private static void RmsNorm<T>(Tensor x, Tensor? z, Tensor w, double eps, int groups, Tensor y, Tensor rstd)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Cpu.RmsNorm.Forward(
        new RmsNormShape(x.Shape.Rows, groups, x.Shape.Last / groups), Rows<T>(x), Rows<T>(z), Pointer<T>(w), Pointer<T>(y), Pointer<T>(rstd), eps);

    private static void RmsNormGradient<T>(Tensor gy, Tensor x, Tensor? z, Tensor w, Tensor rstd, int groups, Tensor? gx, Tensor? gz, Tensor? gw, bool accumulateW)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Cpu.RmsNorm.Backward(
        new RmsNormShape(x.Shape.Rows, groups, x.Shape.Last / groups), Rows<T>(x), Rows<T>(z), Pointer<T>(w), Pointer<T>(rstd), Pointer<T>(gy), Rows<T>(gx), Rows<T>(gz),
        PointerOrNull<T>(gw), accumulateW);

    private static PitchedRows<T> Rows<T>(Tensor? x)
        where T : unmanaged => x is null ? default : new(Pointer<T>(x), x.Pitch());
}
