using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <content>Group normalisation.</content>
internal sealed unsafe partial class CpuBackend
{
    public override void GroupNorm(Tensor x, int groups, Tensor? w, Tensor? b, double eps, Tensor y, Tensor mean, Tensor rstd)
    {
        switch (x.Type)
        {
            case DType.Float32:
                GroupNorm<float>(x, groups, w, b, eps, y, mean, rstd);
                break;
            case DType.Float64:
                GroupNorm<double>(x, groups, w, b, eps, y, mean, rstd);
                break;
            default:
                throw Unsupported("GroupNorm", x);
        }
    }

    public override void GroupNormGradient(
        Tensor gy, Tensor x, int groups, Tensor? w, Tensor mean, Tensor rstd, Tensor? gx, Tensor? gw, bool accumulateW, Tensor? gb, bool accumulateB)
    {
        switch (x.Type)
        {
            case DType.Float32:
                GroupNormGradient<float>(gy, x, groups, w, mean, rstd, gx, gw, accumulateW, gb, accumulateB);
                break;
            case DType.Float64:
                GroupNormGradient<double>(gy, x, groups, w, mean, rstd, gx, gw, accumulateW, gb, accumulateB);
                break;
            default:
                throw Unsupported("GroupNorm", x);
        }
    }

    private static GroupNormShape ShapeOf(Tensor x, int groups) => new(x.Shape[0], x.Shape[1], groups, x.Shape[2] / groups);

    private static void GroupNorm<T>(Tensor x, int groups, Tensor? w, Tensor? b, double eps, Tensor y, Tensor mean, Tensor rstd)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Cpu.GroupNorm.Forward(
        ShapeOf(x, groups), Pointer<T>(x), PointerOrNull<T>(w), PointerOrNull<T>(b), Pointer<T>(y), Pointer<T>(mean), Pointer<T>(rstd), eps);

    private static void GroupNormGradient<T>(
        Tensor gy, Tensor x, int groups, Tensor? w, Tensor mean, Tensor rstd, Tensor? gx, Tensor? gw, bool accumulateW, Tensor? gb, bool accumulateB)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Cpu.GroupNormGradient.Run(
        ShapeOf(x, groups), Pointer<T>(gy), Pointer<T>(x), PointerOrNull<T>(w), Pointer<T>(mean), Pointer<T>(rstd), PointerOrNull<T>(gx), PointerOrNull<T>(gw), accumulateW,
        PointerOrNull<T>(gb), accumulateB);
}
