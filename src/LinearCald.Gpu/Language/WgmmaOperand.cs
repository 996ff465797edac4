namespace LinearCald.Gpu;

/// <summary>
/// A matrix of 16-bit elements, or of 32-bit ones with k as the inner dimension, in shared memory as <see cref="Wgmma"/> reads it (PTX ISA "Matrix-descriptor format"): boxes of 128 bytes along the inner dimension,
/// brought by copies with <see cref="TensorSwizzle.Bytes128"/>, each starting at a multiple of 1024 bytes. The same for all threads of a warpgroup.
/// </summary>
public readonly struct WgmmaOperand
{
    private const int LeadingBit = 16;
    private const int StrideBit = 32;
    private const long Swizzle128 = 1L << 62;

    /// <summary>Addresses and offsets count units of 16 bytes.</summary>
    private const int Unit = 1 << UnitShift;
    private const int UnitShift = 4;
    private const int BoxBytes = 128;

    private readonly long _bits;
    private readonly bool _isTransposed;

    private WgmmaOperand(long bits, bool isTransposed)
    {
        _bits = bits;
        _isTransposed = isTransposed;
    }

    /// <summary>The descriptor.</summary>
    internal ulong Bits => (ulong)_bits;

    /// <summary>Whether M or N is the inner dimension.</summary>
    internal bool IsTransposed => _isTransposed;

    /// <summary>A box of 64 k, or 32 of 32-bit elements, × any number of rows (of A, or columns of B): k is the inner dimension.</summary>
    public static WgmmaOperand AlongK<T>(Shared<T> tile)
        where T : unmanaged =>
        new(Start(tile) + ((1L << LeadingBit) + ((long)(8 * BoxBytes / Unit) << StrideBit) + Swizzle128), false);

    /// <summary>Boxes of 64 rows (of A, or columns of B) × <paramref name="depth"/> k, one after the other: M or N is the inner dimension.</summary>
    /// <param name="tile">The first box.</param>
    /// <param name="depth">Extent of a box along k, a multiple of 16; known to the compiler.</param>
    public static WgmmaOperand AcrossK<T>(Shared<T> tile, int depth)
        where T : unmanaged =>
        new(Start(tile) + (((long)(depth * BoxBytes / Unit) << LeadingBit) + ((long)(8 * BoxBytes / Unit) << StrideBit) + Swizzle128), true);

    /// <summary>The same, <paramref name="steps"/> · 16 further along k, or steps · 8 of 32-bit elements, within a box.</summary>
    public WgmmaOperand Step(int steps) => new(_bits + (steps * (_isTransposed ? 16 * BoxBytes / Unit : 2)), _isTransposed);

    /// <summary>The same, a multiple of 1024 bytes further in shared memory.</summary>
    public WgmmaOperand At(int bytes) => new(_bits + (bytes >> UnitShift), _isTransposed);

    private static long Start<T>(Shared<T> tile)
        where T : unmanaged => (uint)(tile.Offset & 0x3FFFF) / Unit;
}
