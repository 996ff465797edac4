using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors;

/// <content>Convolutions along the sequence.</content>
internal abstract partial class Backend
{
    /// <summary>
    /// Depthwise causal convolution: y[b, t] = f(bias + Σ over j of w[j] · x[b, t − K + 1 + j]), where rows before the sequence's first count as zero.
    /// </summary>
    /// <param name="x">[B, L, D], rows at one pitch.</param>
    /// <param name="w">[D, 1, K].</param>
    /// <param name="bias">[D] or null.</param>
    /// <param name="f">None or Silu.</param>
    /// <param name="sequences">int32 [B, L] or null: a row reads no earlier rows than the stretch of equal numbers that it lies in.</param>
    /// <param name="lengths">int32 [B] or null: rows from a length on give 0.</param>
    /// <param name="state">[B, K − 1, D] or null: the rows before row 0, oldest first; becomes the last rows of what was read.</param>
    /// <param name="reverse">
    /// Whether rows look ahead: y[b, t] = f(bias + Σ over j of w[j] · x[b, t + K − 1 − j]), where rows from the sample's length on and of another sequence number
    /// count as zero. Then there is no state.
    /// </param>
    /// <param name="y">[B, L, D], contiguous.</param>
    public abstract void CausalConv1d(Tensor x, Tensor w, Tensor? bias, Activation f, Tensor? sequences, Tensor? lengths, Tensor? state, bool reverse, Tensor y);

    /// <summary>Gradients of <see cref="CausalConv1d"/> without a state; those of parameters that are null are not wanted.</summary>
    /// <param name="gx">[B, L, D], rows at one pitch, or null.</param>
    public abstract void CausalConv1dGradient(
        Tensor gy, Tensor x, Tensor w, Tensor? bias, Activation f, Tensor? sequences, Tensor? lengths, bool reverse, Tensor? gx, Tensor? gw, bool accumulateW, Tensor? gbias, bool accumulateBias);
}
