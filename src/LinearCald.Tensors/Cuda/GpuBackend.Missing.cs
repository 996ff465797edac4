using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda;

/// <content>Operations whose kernels are not there yet.</content>
internal sealed partial class GpuBackend
{
    public override void Sum(Tensor x, Tensor y) => throw Missing(nameof(Sum));

    public override void SumRows(Tensor x, Tensor y, bool accumulate) => throw Missing(nameof(SumRows));

    public override void Softmax(Tensor x, Tensor y, bool log) => throw Missing(nameof(Softmax));

    public override void SoftmaxGradient(Tensor y, Tensor gy, Tensor gx, bool log) => throw Missing(nameof(SoftmaxGradient));

    public override void LayerNorm(Tensor x, Tensor? w, Tensor? b, double eps, Tensor y, Tensor mean, Tensor rstd) => throw Missing(nameof(LayerNorm));

    public override void LayerNormGradient(Tensor gy, Tensor x, Tensor? w, Tensor mean, Tensor rstd, Tensor? gx, Tensor? gw, bool accumulateW, Tensor? gb, bool accumulateB) => throw Missing(nameof(LayerNormGradient));

    public override void ResidualLayerNorm(Tensor x, Tensor h, Tensor w, Tensor b, double eps, double p, RandomKey key, Tensor sum, Tensor y, Tensor mean, Tensor rstd) => throw Missing(nameof(ResidualLayerNorm));

    public override void CrossEntropy(Tensor logits, Tensor labels, int ignore, Reduction reduction, Tensor loss, Tensor lse) => throw Missing(nameof(CrossEntropy));

    public override void CrossEntropyGradient(Tensor logits, Tensor labels, int ignore, Reduction reduction, Tensor lse, Tensor gloss, Tensor glogits) => throw Missing(nameof(CrossEntropyGradient));

    public override void KlDivergence(Tensor student, Tensor teacher, double temperature, double scale, Tensor loss) => throw Missing(nameof(KlDivergence));

    public override void KlDivergenceGradient(Tensor student, Tensor teacher, double temperature, double scale, Tensor gloss, Tensor gstudent) => throw Missing(nameof(KlDivergenceGradient));

    public override void LayerMse(Tensor student, Tensor teacher, Tensor? lengths, bool normalise, double scale, Tensor loss) => throw Missing(nameof(LayerMse));

    public override void LayerMseGradient(Tensor student, Tensor teacher, Tensor? lengths, bool normalise, double scale, Tensor gloss, Tensor gstudent) => throw Missing(nameof(LayerMseGradient));

    private CaldException Missing(string operation) => new($"{operation}: {_device.Name} has no kernel for it; use --device cpu");
}
