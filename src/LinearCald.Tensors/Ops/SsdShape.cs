namespace LinearCald.Tensors.Ops;

/// <summary>The sizes and rules of one <see cref="SsdScanOperation"/>, without its tensors.</summary>
/// <param name="Batch">Rows of the batch.</param>
/// <param name="Length">Positions of a row.</param>
/// <param name="Heads">Heads; a multiple of <paramref name="Groups"/>.</param>
/// <param name="Groups">Pairs of b and c; head h reads group h / (Heads / Groups).</param>
/// <param name="HeadSize">Features of a head, P.</param>
/// <param name="StateSize">Numbers of state a feature, N.</param>
/// <param name="Chunk">Positions that are computed by matrix products at once.</param>
/// <param name="Reverse">Whether the scan runs from the last valid position to the first.</param>
/// <param name="Softplus">Whether Δ goes through softplus.</param>
/// <param name="DeltaMin">Smallest Δ.</param>
/// <param name="DeltaMax">Largest Δ.</param>
internal readonly record struct SsdShape(
    int Batch, int Length, int Heads, int Groups, int HeadSize, int StateSize, int Chunk, bool Reverse, bool Softplus, double DeltaMin, double DeltaMax)
{
    public int HeadsPerGroup => Heads / Groups;

    /// <summary>Elements of one head's state.</summary>
    public long StateCount => (long)HeadSize * StateSize;
}
