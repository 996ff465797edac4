using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <content>Connectionist temporal classification.</content>
internal sealed unsafe partial class CpuBackend
{
    public override void CtcLoss(Tensor logits, Tensor targets, Tensor inputLengths, Tensor targetLengths, int blank, bool zeroInfinity, Tensor losses, Tensor? gradient)
    {
        CtcShape shape = new(logits.Shape[0], logits.Shape[1], logits.Shape[2], targets.Shape[1], blank, zeroInfinity);
        switch (logits.Type)
        {
            case DType.Float32:
                CtcLossKernel.Run(in shape, DataOf<float>(logits, targets, inputLengths, targetLengths, losses, gradient));
                break;
            case DType.Float64:
                CtcLossKernel.Run(in shape, DataOf<double>(logits, targets, inputLengths, targetLengths, losses, gradient));
                break;
            default:
                throw Unsupported("CtcLoss", logits);
        }
    }

    public override void ScaleSamples(Tensor x, Tensor factors, Tensor y)
    {
        long elements = x.Shape[0] == 0 ? 0 : x.Count / x.Shape[0];
        switch (y.Type)
        {
            case DType.Float32:
                LinearCombination.ScaleSamples(Pointer<float>(x), Pointer<float>(factors), Pointer<float>(y), x.Shape[0], elements);
                break;
            case DType.Float64:
                LinearCombination.ScaleSamples(Pointer<double>(x), Pointer<double>(factors), Pointer<double>(y), x.Shape[0], elements);
                break;
            default:
                throw Unsupported("CtcLoss", y);
        }
    }

    private static CtcData<T> DataOf<T>(Tensor logits, Tensor targets, Tensor inputLengths, Tensor targetLengths, Tensor losses, Tensor? gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => new()
        {
            Logits = Pointer<T>(logits),
            Targets = Pointer<int>(targets),
            InputLengths = Pointer<int>(inputLengths),
            TargetLengths = Pointer<int>(targetLengths),
            Losses = Pointer<T>(losses),
            Gradient = PointerOrNull<T>(gradient),
        };
}
