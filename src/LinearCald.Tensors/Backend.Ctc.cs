using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors;

/// <content>Connectionist temporal classification.</content>
internal abstract partial class Backend
{
    /// <summary>−ln p(target | logits) of every row, see <see cref="CtcLossOperation"/>.</summary>
    /// <param name="logits">[B, T, V].</param>
    /// <param name="targets">int32 [B, S].</param>
    /// <param name="inputLengths">int32 [B].</param>
    /// <param name="targetLengths">int32 [B].</param>
    /// <param name="losses">[B].</param>
    /// <param name="gradient">[B, T, V] of the losses' type: d losses[b] / d logits[b], 0 in the padding; null if it is not wanted.</param>
    public abstract void CtcLoss(Tensor logits, Tensor targets, Tensor inputLengths, Tensor targetLengths, int blank, bool zeroInfinity, Tensor losses, Tensor? gradient);

    /// <summary>y[b] = factors[b] · x[b] for x [B, …] and factors [B] of one type; y is of any type that the device computes in.</summary>
    public abstract void ScaleSamples(Tensor x, Tensor factors, Tensor y);
}
