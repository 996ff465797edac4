namespace LinearCald.Tensors.Ops;

/// <summary>Views [B, L, D] whose rows lie at a common distance, such as a column range of wider rows: kernels read them where they are.</summary>
internal static class RowPitch
{
    /// <summary>The tensor itself if its last dimension is contiguous and row b·L + t lies at (b·L + t) · pitch, otherwise a contiguous copy.</summary>
    public static Tensor WithRowPitch(this Tensor x)
    {
        if (x.IsContiguous)
        {
            return x;
        }

        bool dense = x.Shape.Last == 1 || x.Strides[2] == 1;
        bool regular = x.Shape[0] == 1 || x.Shape[1] == 1 || x.Strides[0] == x.Strides[1] * x.Shape[1];
        return dense && regular && Pitch(x) >= x.Shape.Last ? x : x.Contiguous();
    }

    /// <summary>Elements from one row to the next.</summary>
    public static long Pitch(Tensor x) => x.IsContiguous ? x.Shape.Last : x.Shape[1] == 1 ? x.Strides[0] : x.Strides[1];
}
