namespace LinearCald.Gpu;

/// <summary>Three extents or indices.</summary>
public readonly record struct Index3(int X, int Y = 1, int Z = 1)
{
    /// <summary>X · Y · Z.</summary>
    public long Count => (long)X * Y * Z;

    /// <summary>One-dimensional extents.</summary>
    public static implicit operator Index3(int x) => new(x);

    /// <inheritdoc/>
    public override string ToString() => $"{X}×{Y}×{Z}";
}
