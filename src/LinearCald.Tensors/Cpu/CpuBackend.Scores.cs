namespace LinearCald.Tensors.Cpu;

/// <content>Scores of labels.</content>
internal sealed unsafe partial class CpuBackend
{
    public override void LabelScores(Tensor logits, Tensor labels, Tensor likelihoods, Tensor best)
    {
        switch (logits.Type)
        {
            case DType.Float32:
                LabelScoreKernel.Forward(Pointer<float>(logits), Pointer<int>(labels), logits.Shape[0], logits.Shape[1], Pointer<float>(likelihoods), Pointer<int>(best));
                break;
            case DType.Float64:
                LabelScoreKernel.Forward(Pointer<double>(logits), Pointer<int>(labels), logits.Shape[0], logits.Shape[1], Pointer<double>(likelihoods), Pointer<int>(best));
                break;
            default:
                throw Unsupported("LabelScores", logits);
        }
    }
}
