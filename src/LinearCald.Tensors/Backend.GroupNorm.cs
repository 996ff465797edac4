namespace LinearCald.Tensors;

/// <content>Group normalisation.</content>
internal abstract partial class Backend
{
    /// <summary>y = (x − mean) · rstd · w + b with the statistics of each sample and group over T × C/groups elements; rstd = 1/√(var + ε), population variance.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="groups">Equal parts of the channels.</param>
    /// <param name="w">[C] or null; so is b.</param>
    /// <param name="mean">[B · groups]: written, for the gradient; so is rstd.</param>
    public abstract void GroupNorm(Tensor x, int groups, Tensor? w, Tensor? b, double eps, Tensor y, Tensor mean, Tensor rstd);

    /// <summary>Gradients of <see cref="GroupNorm"/>; those that are null are not wanted.</summary>
    public abstract void GroupNormGradient(
        Tensor gy, Tensor x, int groups, Tensor? w, Tensor mean, Tensor rstd, Tensor? gx, Tensor? gw, bool accumulateW, Tensor? gb, bool accumulateB);
}
