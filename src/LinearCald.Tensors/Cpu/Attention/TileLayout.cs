namespace LinearCald.Tensors.Cpu;

/// <summary>How the left factor of a <see cref="TileProduct"/> lies in memory; a type, so that the steps are compiled into the addresses.</summary>
internal interface ITileLayout
{
    /// <summary>Elements from row i to row i + 1.</summary>
    static abstract nint RowStep(nint stride);

    /// <summary>Elements from depth p to depth p + 1.</summary>
    static abstract nint DepthStep(nint stride);
}

/// <summary>Element (i, p) at a[i · stride + p].</summary>
internal readonly struct RowMajorTile : ITileLayout
{
    public static nint RowStep(nint stride) => stride;

    public static nint DepthStep(nint stride) => 1;
}

/// <summary>Element (i, p) at a[p · stride + i]: the product uses the transpose of the tile.</summary>
internal readonly struct TransposedTile : ITileLayout
{
    public static nint RowStep(nint stride) => 1;

    public static nint DepthStep(nint stride) => stride;
}
