using System.Runtime.CompilerServices;

namespace LinearCald.Gpu;

/// <summary>
/// A matrix (or tensor of up to five dimensions) in device memory as the copy engine sees it: 128 opaque bytes, made on the host for one accelerator and passed to
/// kernels by value, as a parameter of its own. Used by <see cref="Tma"/>.
/// </summary>
[InlineArray(16)]
public struct TensorMap
{
    /// <summary>Alignment of the parameter in bytes.</summary>
    internal const int Alignment = 64;

    /// <summary>What the innermost coordinate of a box is a multiple of, in bytes: others end in an illegal instruction on an H100.</summary>
    internal const int StartAlignment = 16;

    private const int MaximumBox = 256;

    private ulong _first;

    /// <summary>Describes a tensor and the box that one copy moves. All lists start with the innermost dimension.</summary>
    /// <param name="accelerator">Where it will be used.</param>
    /// <param name="address">First element on the device; a multiple of 16.</param>
    /// <param name="element">Type of the elements.</param>
    /// <param name="extents">Elements along each dimension, at least 1.</param>
    /// <param name="strides">Bytes from one index to the next, of all dimensions but the innermost; multiples of 16.</param>
    /// <param name="box">Elements of a box along each dimension, at most 256; along the innermost a multiple of 16 bytes, no longer than the swizzle.</param>
    /// <param name="swizzle">How the rows of a box are permuted in shared memory.</param>
    /// <exception cref="CaldException">A rule above is broken, or the accelerator has no such copies.</exception>
    public static TensorMap Create(
        Accelerator accelerator, nint address, TensorElement element, ReadOnlySpan<long> extents, ReadOnlySpan<long> strides, ReadOnlySpan<int> box, TensorSwizzle swizzle)
    {
        ArgumentNullException.ThrowIfNull(accelerator);
        int rank = extents.Length;
        if (rank is < 1 or > TensorMapDescription.MaximumRank || strides.Length != rank - 1 || box.Length != rank)
        {
            throw new CaldException($"tensor map: {rank} extents, {strides.Length} strides and a box of {box.Length}; of 1 to {TensorMapDescription.MaximumRank} dimensions all have an extent and a box, all but the innermost a stride");
        }

        int row = box[0] * element.Bytes();
        int span = swizzle.Span();
        if (address % 16 != 0 || row % 16 != 0 || (swizzle != TensorSwizzle.None && row > span))
        {
            throw new CaldException($"tensor map: address {address:x} and rows of {row} bytes of a box; both are multiples of 16, and a row is no longer than the swizzle's {span} bytes");
        }

        for (int i = 0; i < rank; i++)
        {
            if (extents[i] is < 1 or > 1L << 32 || box[i] is < 1 or > MaximumBox)
            {
                throw new CaldException($"tensor map: extent {extents[i]:N0} and box {box[i]:N0} of dimension {i}; extents are 1 to 2³², boxes 1 to {MaximumBox}");
            }

            if (i > 0 && (strides[i - 1] % 16 != 0 || strides[i - 1] < 0 || strides[i - 1] >= 1L << 40))
            {
                throw new CaldException($"tensor map: a stride of {strides[i - 1]:N0} bytes of dimension {i}; strides are multiples of 16 below 2⁴⁰");
            }
        }

        return accelerator.Encode(new TensorMapDescription(address, element, extents, strides, box, swizzle));
    }

    /// <summary>Whether a box may start at this element of the innermost dimension.</summary>
    internal static bool IsStart(int coordinate, TensorElement element) => (long)coordinate * element.Bytes() % StartAlignment == 0;
}

/// <summary>Element types of tensor maps, with the driver's numbers.</summary>
public enum TensorElement
{
    /// <summary>One byte.</summary>
    UInt8 = 0,

    /// <summary>Two bytes.</summary>
    UInt16 = 1,

    /// <summary>Four bytes.</summary>
    UInt32 = 2,

    /// <summary>IEEE binary16.</summary>
    Half = 6,

    /// <summary>IEEE binary32.</summary>
    Float32 = 7,

    /// <summary>bfloat16.</summary>
    BFloat16 = 9,

    /// <summary>IEEE binary32 in memory, rounded on the way to ten fraction bits, halves to even: what tensor cores multiply, which by themselves cut the other bits off.</summary>
    TensorFloat32 = 11,
}

/// <summary>
/// How the copy engine permutes 16-byte chunks in shared memory, with the driver's numbers: address bits 4 … 6 are xored with bits 7 … 9 (128 bytes),
/// bits 4 and 5 with 7 and 8 (64 bytes), bit 4 with bit 7 (32 bytes). Boxes then start at multiples of 1024, 512 or 256 bytes.
/// </summary>
public enum TensorSwizzle
{
    /// <summary>As in device memory; boxes start at multiples of 128 bytes.</summary>
    None = 0,

    /// <summary>Within 32 bytes.</summary>
    Bytes32 = 1,

    /// <summary>Within 64 bytes.</summary>
    Bytes64 = 2,

    /// <summary>Within 128 bytes.</summary>
    Bytes128 = 3,
}

/// <summary>Sizes of the enumerations of tensor maps.</summary>
internal static class TensorMapSizes
{
    public static int Bytes(this TensorElement element) => element switch
    {
        TensorElement.UInt8 => 1,
        TensorElement.UInt16 or TensorElement.Half or TensorElement.BFloat16 => 2,
        TensorElement.UInt32 or TensorElement.Float32 or TensorElement.TensorFloat32 => 4,
        _ => throw new CaldException($"tensor map: elements of type {(int)element} are not known; use one of {nameof(TensorElement)}"),
    };

    /// <summary>Longest row of a box.</summary>
    public static int Span(this TensorSwizzle swizzle) => swizzle == TensorSwizzle.None ? 16 : 16 << (int)swizzle;

    /// <summary>What a box's address in shared memory is a multiple of.</summary>
    public static int BoxAlignment(this TensorSwizzle swizzle) => swizzle == TensorSwizzle.None ? 128 : 128 << (int)swizzle;

    /// <summary>Where a byte of a box lies in shared memory.</summary>
    public static int Place(this TensorSwizzle swizzle, int address) => address ^ (((address >> 7) & ((1 << (int)swizzle) - 1)) << 4);
}
