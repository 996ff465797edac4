using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cpu;

/// <content>Cross-entropy of logits that are made a few rows at a time.</content>
internal sealed unsafe partial class CpuBackend
{
    private const long LogitBytes = 4 << 20;
    private const int LogitRowsAtLeast = 512;

    public override int LogitRows(int classes, int elementSize) => (int)Math.Max(LogitBytes / Math.Max(1, (long)classes * elementSize), LogitRowsAtLeast);

    public override void CrossEntropyFactors(Tensor labels, int classes, int ignore, Reduction reduction, Tensor factors)
    {
        long counted = CrossEntropyKernel.Counted(Pointer<int>(labels), labels.Count, classes, ignore);
        double divisor = reduction == Reduction.Mean ? counted : 1;
        switch (factors.Type)
        {
            case DType.Float32:
                Pointer<float>(factors)[0] = (float)(1 / divisor);
                Pointer<float>(factors)[1] = (float)(1 / Math.Max(1, divisor));
                break;
            case DType.Float64:
                Pointer<double>(factors)[0] = 1 / divisor;
                Pointer<double>(factors)[1] = 1 / Math.Max(1, divisor);
                break;
            default:
                throw Unsupported("LinearCrossEntropy", factors);
        }
    }
}
