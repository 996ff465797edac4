namespace LinearCald.Tensors.Cuda;

/// <content>Scores of labels.</content>
internal sealed partial class GpuBackend
{
    public override void LabelScores(Tensor logits, Tensor labels, Tensor likelihoods, Tensor best) => Kernels.LabelScores.Forward(
        _accelerator, logits.Type, Address(logits), Address(labels), Address(likelihoods), Address(best), logits.Shape.Rows, logits.Shape.Last);
}
