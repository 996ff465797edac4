namespace LinearCald.Tensors;

/// <content>Rows and features of [B, T, C] that are replaced, cleared or averaged.</content>
internal abstract partial class Backend
{
    /// <summary>y[b, t] = row where mask[b, t] ≠ 0, else x[b, t].</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="mask">int32 [B, T].</param>
    /// <param name="row">[C], Float32 where x has 16 bits.</param>
    public abstract void ReplaceRows(Tensor x, Tensor mask, Tensor row, Tensor y);

    /// <summary>Gradients of <see cref="ReplaceRows"/>: gx = gy, 0 where rows were replaced; grow = Σ of the replaced rows of gy. Those that are null are not wanted.</summary>
    public abstract void ReplaceRowsGradient(Tensor gy, Tensor mask, Tensor? gx, Tensor? grow, bool accumulateRow);

    /// <summary>y[b, t] = x[b, t] for t &lt; lengths[b], else 0, whatever x holds there. Its own gradient.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="lengths">int32 [B]; more than T counts as T, less than 0 as 0.</param>
    public abstract void MaskRows(Tensor x, Tensor lengths, Tensor y);

    /// <summary>y[b, t, c] = 0 where mask[b, c] ≠ 0, else x[b, t, c]. Its own gradient.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="mask">int32 [B, C].</param>
    public abstract void MaskFeatures(Tensor x, Tensor mask, Tensor y);

    /// <summary>y[b] = mean of x[b, t] over t &lt; lengths[b]; 0 where there are none.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="lengths">int32 [B], clamped to 0 … T, or null for T.</param>
    /// <param name="y">[B, C].</param>
    public abstract void MeanRows(Tensor x, Tensor? lengths, Tensor y);

    /// <summary>gx[b, t] = gy[b] / n for t below the number n of valid rows, else 0.</summary>
    /// <param name="gy">[B, C].</param>
    /// <param name="gx">[B, T, C].</param>
    public abstract void MeanRowsGradient(Tensor gy, Tensor? lengths, Tensor gx);
}
