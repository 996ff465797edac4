namespace LinearCald.Tensors;

/// <content>Root mean square normalisation.</content>
internal abstract partial class Backend
{
    /// <summary>y = w · v · rstd with v = x · SiLU(z), or x without z, and rstd = 1/√(mean(v²) + ε) over each of the equal groups of a row.</summary>
    /// <param name="x">[..., D], rows at one pitch; so is z.</param>
    /// <param name="w">[D].</param>
    /// <param name="y">Contiguous.</param>
    /// <param name="rstd">[rows · groups]: written, for the gradient.</param>
    public abstract void RmsNorm(Tensor x, Tensor? z, Tensor w, double eps, int groups, Tensor y, Tensor rstd);

    /// <summary>Gradients of <see cref="RmsNorm"/>; those that are null are not wanted. gx and gz have their rows at one pitch.</summary>
    public abstract void RmsNormGradient(Tensor gy, Tensor x, Tensor? z, Tensor w, Tensor rstd, int groups, Tensor? gx, Tensor? gz, Tensor? gw, bool accumulateW);
}
