namespace LinearCald.Tensors.Ops;

/// <summary>What a row of logits says about its label.</summary>
/// <param name="LogLikelihoods">[rows], float32 (float64 for such logits): log softmax(row)[label].</param>
/// <param name="Best">[rows], int32: the class with the largest logit, of equal ones the first.</param>
public readonly record struct LabelScores(Tensor LogLikelihoods, Tensor Best);

/// <summary>How likely labels are, row by row: what evaluation needs of logits without copying them to the host. Not recorded.</summary>
public static class LabelScoreOperation
{
    /// <summary>logits [rows, classes], labels int32 [rows]. A row with a NaN has a NaN and any class.</summary>
    /// <exception cref="CaldException">A label is outside the classes (a GPU, which cannot complain, gives NaN).</exception>
    public static LabelScores LabelScores(this Tensor logits, Tensor labels)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(labels);
        Check.Float("LabelScores", logits);
        Check.Rank("LabelScores", "logits", logits, 2);
        Check.Int32("LabelScores", "labels", labels);
        Check.Vector("LabelScores", "labels", labels, logits.Shape[0]);
        logits = logits.Contiguous();
        Tensor likelihoods = Tensor.Allocate(logits.Device, logits.Type.Statistics(), new Shape(logits.Shape[0]));
        Tensor best = Tensor.Allocate(logits.Device, DType.Int32, new Shape(logits.Shape[0]));
        logits.Device.Backend.LabelScores(logits, labels.Contiguous(), likelihoods, best);
        return new LabelScores(likelihoods, best);
    }
}
