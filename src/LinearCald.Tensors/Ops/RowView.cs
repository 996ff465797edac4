namespace LinearCald.Tensors.Ops;

/// <summary>
/// Views whose rows (all dimensions but the last) lie at one pitch with neighbouring elements inside: contiguous tensors, and parts of the last dimension of
/// contiguous ones. Kernels that take a pitch read them where they are.
/// </summary>
internal static class RowView
{
    /// <summary>The tensor itself if its rows lie at one pitch, otherwise a contiguous copy.</summary>
    public static Tensor InRows(this Tensor x) => HasRows(x.Shape, x.Strides, out _) ? x : x.Contiguous();

    /// <summary>Elements from the start of a row to the start of the next, of a tensor that <see cref="InRows"/> returned.</summary>
    public static long Pitch(this Tensor x) => HasRows(x.Shape, x.Strides, out long pitch)
        ? pitch
        : throw new InvalidOperationException($"the rows of {x} do not lie at one pitch");

    /// <summary>Whether rows lie at one pitch. The pitch of a single row is its length.</summary>
    public static bool HasRows(in Shape shape, in Strides strides, out long pitch)
    {
        pitch = shape.Last;
        if (shape.Rank > 0 && shape.Last > 1 && strides[shape.Rank - 1] != 1)
        {
            return shape.Count == 0;
        }

        long rows = 1;
        for (int i = shape.Rank - 2; i >= 0; i--)
        {
            if (shape[i] == 1)
            {
                continue;
            }

            if (rows == 1)
            {
                pitch = strides[i];
            }

            if (pitch < shape.Last || strides[i] != rows * pitch)
            {
                pitch = shape.Last;
                return shape.Count == 0;
            }

            rows *= shape[i];
        }

        return true;
    }
}
