namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>How one group of threads computes one M × N block of C.</summary>
/// <param name="M">Rows of the block.</param>
/// <param name="N">Columns of the block.</param>
/// <param name="WarpsM">Warps along the rows.</param>
/// <param name="WarpsN">Warps along the columns.</param>
/// <param name="Stages">Blocks of k in shared memory at once: one being multiplied, the others on their way.</param>
internal readonly record struct GemmTile(int M, int N, int WarpsM, int WarpsN, int Stages)
{
    /// <summary>Threads of the group.</summary>
    public int Threads => 32 * WarpsM * WarpsN;

    /// <summary>Rows of one warp's part.</summary>
    public int WarpRows => M / WarpsM;

    /// <summary>Columns of one warp's part.</summary>
    public int WarpColumns => N / WarpsN;

    /// <inheritdoc/>
    public override string ToString() => $"{M}×{N} ({WarpsM}×{WarpsN} warps, {Stages} stages)";
}
