namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Which block of C a group computes. Groups that run together should touch few rows of A and columns of B, which then stay in the second-level
/// cache: so blocks are walked column by column within bands of <see cref="Band"/> block rows (132 live blocks touch about 8 + 17 panels, not 2 + 132).
/// </summary>
internal readonly struct TileOrder
{
    /// <summary>Block rows of a band.</summary>
    public const int Band = 8;

    /// <summary>Block row.</summary>
    public readonly int Row;

    /// <summary>Block column.</summary>
    public readonly int Column;

    /// <param name="index">Number of the group along x.</param>
    /// <param name="rows">Block rows of C.</param>
    /// <param name="columns">Block columns of C.</param>
    public TileOrder(int index, int rows, int columns)
    {
        uint perBand = (uint)(Band * columns);
        uint band = (uint)index / perBand;
        uint within = (uint)index - (band * perBand);
        int first = (int)band * Band;
        uint height = (uint)Math.Min(rows - first, Band);
        Column = (int)(within / height);
        Row = first + (int)(within - ((uint)Column * height));
    }
}
