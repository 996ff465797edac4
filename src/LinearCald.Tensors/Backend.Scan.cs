using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors;

/// <content>
/// Scans. Row b·L + t of u, delta, z, b and c is position t of sample b; their rows are contiguous and lie at a common distance (<see cref="RowView"/>), everything else is
/// contiguous. A, D, bias and states are of the data's statistics type.
/// </content>
internal abstract partial class Backend
{
    /// <summary>
    /// y [B, L, D], see <see cref="SelectiveScanOperation"/>. finalState [B, D, N] may be the initial state. Saved, unless null, is what
    /// <see cref="SelectiveScanSaved"/> made: the states that the gradient starts from.
    /// </summary>
    public abstract void SelectiveScan(in SelectiveScanInputs x, Tensor y, Tensor? finalState, Tensor? saved);

    /// <summary>A tensor for the states that a recorded scan keeps.</summary>
    public abstract Tensor SelectiveScanSaved(in SelectiveScanInputs x);

    /// <summary>All gradients, overwritten; those of u, delta and z may have a row pitch. The initial state is not read: it is the first one saved.</summary>
    public abstract void SelectiveScanGradient(in SelectiveScanInputs x, Tensor saved, Tensor gy, in SelectiveScanGradients g);
}
