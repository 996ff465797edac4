using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda;

/// <content>Cross-entropy of logits that are made a few rows at a time.</content>
internal sealed partial class GpuBackend
{
    private const long LogitBytes = 256 << 20;
    private const int LogitRowsMultiple = 256;

    /// <summary>
    /// 256 MiB, in whole tiles of the products: at 50,304 classes and 768 features 1,280 rows, where the weight's gradient, read and written once a chunk, is a
    /// quarter of the traffic.
    /// </summary>
    public override int LogitRows(int classes, int elementSize)
    {
        long rows = LogitBytes / Math.Max(1, (long)classes * elementSize);
        return (int)Math.Max(rows / LogitRowsMultiple, 1) * LogitRowsMultiple;
    }

    public override void CrossEntropyFactors(Tensor labels, int classes, int ignore, Reduction reduction, Tensor factors) =>
        Kernels.CrossEntropy.Factors(_accelerator, Address(labels), labels.Count, ignore, reduction == Reduction.Mean, Address(factors));
}
