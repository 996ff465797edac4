using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors;

/// <content>Cross-entropy of logits that are made a few rows at a time, see <see cref="LinearCrossEntropyOperation"/>.</content>
internal abstract partial class Backend
{
    /// <summary>How many rows of logits to hold at a time: enough that reading the weight and adding to its gradient for each chunk is a small part of the products.</summary>
    /// <param name="classes">Elements of a row.</param>
    /// <param name="elementSize">Bytes of an element.</param>
    public abstract int LogitRows(int classes, int elementSize);

    /// <summary>
    /// What turns the sum over rows into the reduction: factors[0] for the loss and factors[1] for its gradients. They are 1 for the sum, and for the mean one over the
    /// number of labels that are not <paramref name="ignore"/>; if there are none, infinity for the loss (0 · ∞ is NaN) but 1 for the gradients, which are 0. The CPU
    /// refuses labels that are no classes.
    /// </summary>
    public abstract void CrossEntropyFactors(Tensor labels, int classes, int ignore, Reduction reduction, Tensor factors);
}
