using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors;

/// <content>Convolutions over all channels, and the normalisation of their weights.</content>
internal abstract partial class Backend
{
    /// <summary>
    /// y[b, t, o] = f(bias[o] + Σ over j and c of w[o, j, c] · x[b, t · stride + j − padding, g · I + c]) with I = Cin/groups and g = o / (Cout/groups) the group of o;
    /// rows of x outside 0 … L − 1 count as zero.
    /// </summary>
    /// <param name="x">[B, L, Cin].</param>
    /// <param name="w">[Cout, K, Cin/groups], of x's type: the taps outside the channels, so that without padding a patch of x is one run of memory.</param>
    /// <param name="bias">[Cout] or null.</param>
    /// <param name="f">Any activation.</param>
    /// <param name="pre">Of y's shape: receives the argument of f; null if not wanted.</param>
    /// <param name="digits">Of float32 operands.</param>
    /// <param name="y">[B, Lout, Cout], Lout = (L + 2 · padding − K)/stride + 1 ≥ 1.</param>
    public abstract void Conv1d(Tensor x, Tensor w, Tensor? bias, int stride, int padding, int groups, Activation f, Tensor? pre, ProductDigits digits, Tensor y);

    /// <summary>
    /// The gradient of the input of <see cref="Conv1d"/>: gx[b, s, c] = Σ over the (t, j) with t · stride + j − padding = s, and over o of c's group, of gh[b, t, o] · w[o, j, c].
    /// </summary>
    /// <param name="gh">[B, Lout, Cout]: the gradient of the argument of the activation.</param>
    /// <param name="w">[Cout, K, Cin/groups], of gh's type.</param>
    /// <param name="digits">Of float32 operands, where the device would round them to tf32.</param>
    /// <param name="gx">[B, L, Cin]: all of it is written, also rows that no output reads.</param>
    public abstract void Conv1dInputGradient(Tensor gh, Tensor w, int stride, int padding, int groups, ProductDigits digits, Tensor gx);

    /// <summary>The gradient of the weight of <see cref="Conv1d"/>: gw[o, j, c] = Σ over b and t of gh[b, t, o] · x[b, t · stride + j − padding, c].</summary>
    /// <param name="gh">[B, Lout, Cout].</param>
    /// <param name="x">[B, L, Cin].</param>
    /// <param name="gw">[Cout, K, Cin/groups], Float32 where x has 16 bits.</param>
    public abstract void Conv1dWeightGradient(Tensor gh, Tensor x, int stride, int padding, int groups, Tensor gw);

    /// <summary>w[o, i, k] = g[k] · v[o, i, k] / norm[k] with norm[k] = ‖v[:, :, k]‖. Parameters: never of 16 bits.</summary>
    /// <param name="v">[O, I, K].</param>
    /// <param name="g">K elements.</param>
    /// <param name="w">[O, I, K].</param>
    /// <param name="norm">[K]: written, for the gradient.</param>
    public abstract void WeightNorm(Tensor v, Tensor g, Tensor w, Tensor norm);

    /// <summary>Gradients of <see cref="WeightNorm"/>; those that are null are not wanted.</summary>
    /// <param name="gw">[O, I, K].</param>
    public abstract void WeightNormGradient(Tensor gw, Tensor v, Tensor g, Tensor norm, Tensor? gv, bool accumulateV, Tensor? gg, bool accumulateG);
}
