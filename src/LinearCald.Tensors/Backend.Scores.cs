namespace LinearCald.Tensors;

/// <content>Scores of labels.</content>
internal abstract partial class Backend
{
    /// <summary>Of each row of logits [rows, classes]: log softmax at the label, into [rows], and the first of the largest elements, into int32 [rows].</summary>
    public abstract void LabelScores(Tensor logits, Tensor labels, Tensor likelihoods, Tensor best);
}
