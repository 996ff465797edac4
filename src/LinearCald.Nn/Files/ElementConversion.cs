using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using LinearCald.Tensors;

namespace LinearCald.Nn.Files;

/// <summary>
/// Conversions between the element types of files and of memory, both little endian. The methods return false, having written nothing, when
/// the conversion is not one that keeps the kind of number (a float tensor read as integers).
/// </summary>
internal static class ElementConversion
{
    /// <summary>Widens or narrows any floating-point type to float32, rounding to nearest even.</summary>
    public static bool ToSingle(ReadOnlySpan<byte> source, DType type, Span<float> destination)
    {
        switch (type)
        {
            case DType.Float32:
                MemoryMarshal.Cast<byte, float>(source).CopyTo(destination);
                return true;
            case DType.BFloat16:
                WidenBFloat16(MemoryMarshal.Cast<byte, ushort>(source), destination);
                return true;
            case DType.Float16:
                WidenHalf(MemoryMarshal.Cast<byte, ushort>(source), destination);
                return true;
            case DType.Float64:
                ReadOnlySpan<double> wide = MemoryMarshal.Cast<byte, double>(source);
                for (int i = 0; i < destination.Length; i++)
                    destination[i] = (float)wide[i];
                return true;
            default:
                return false;
        }
    }

    /// <summary>Any of our types to float64; exact but for integers past 2⁵³.</summary>
    public static bool ToDouble(ReadOnlySpan<byte> source, DType type, Span<double> destination)
    {
        if (type == DType.Float64)
        {
            MemoryMarshal.Cast<byte, double>(source).CopyTo(destination);
            return true;
        }

        Span<float> singles = stackalloc float[512];
        Span<long> integers = stackalloc long[512];
        int size = type.Size();
        for (int first = 0; first < destination.Length; first += 512)
        {
            Span<double> part = destination.Slice(first, Math.Min(512, destination.Length - first));
            ReadOnlySpan<byte> bytes = source.Slice(first * size, part.Length * size);
            if (type.IsFloat())
            {
                ToSingle(bytes, type, singles[..part.Length]);
                for (int i = 0; i < part.Length; i++)
                    part[i] = singles[i];
            }
            else
            {
                ToInt64(bytes, type, integers[..part.Length]);
                for (int i = 0; i < part.Length; i++)
                    part[i] = integers[i];
            }
        }

        return true;
    }

    /// <summary>Integers and bools (any byte but 0 is 1) to int64; exact.</summary>
    public static bool ToInt64(ReadOnlySpan<byte> source, DType type, Span<long> destination)
    {
        switch (type)
        {
            case DType.Int64:
                MemoryMarshal.Cast<byte, long>(source).CopyTo(destination);
                return true;
            case DType.Int32:
                ReadOnlySpan<int> ints = MemoryMarshal.Cast<byte, int>(source);
                for (int i = 0; i < destination.Length; i++)
                    destination[i] = ints[i];
                return true;
            case DType.UInt8:
                for (int i = 0; i < destination.Length; i++)
                    destination[i] = source[i];
                return true;
            case DType.Bool:
                for (int i = 0; i < destination.Length; i++)
                    destination[i] = source[i] == 0 ? 0 : 1;
                return true;
            default:
                return false;
        }
    }

    /// <summary>
    /// float32 to a floating-point type of a file, rounding to nearest even. Returns the index of the first finite value that became infinite
    /// (float16 ends at 65504), or −1.
    /// </summary>
    public static int FromSingle(ReadOnlySpan<float> source, DType type, Span<byte> destination)
    {
        switch (type)
        {
            case DType.Float32:
                MemoryMarshal.AsBytes(source).CopyTo(destination);
                return -1;
            case DType.Float64:
                Span<double> doubles = MemoryMarshal.Cast<byte, double>(destination);
                for (int i = 0; i < source.Length; i++)
                    doubles[i] = source[i];
                return -1;
            case DType.BFloat16:
                Span<BFloat16> brains = MemoryMarshal.Cast<byte, BFloat16>(destination);
                for (int i = 0; i < source.Length; i++)
                {
                    brains[i] = (BFloat16)source[i];
                    if (!float.IsFinite((float)brains[i]) && float.IsFinite(source[i]))
                        return i;
                }

                return -1;
            case DType.Float16:
                Span<Half> halves = MemoryMarshal.Cast<byte, Half>(destination);
                for (int i = 0; i < source.Length; i++)
                {
                    halves[i] = (Half)source[i];
                    if (!Half.IsFinite(halves[i]) && float.IsFinite(source[i]))
                        return i;
                }

                return -1;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "float values are stored in a floating-point type");
        }
    }

    private static void WidenBFloat16(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        int i = 0;
        for (; i <= source.Length - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
        {
            (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Vector256.Create(source[i..]));
            (low << 16).AsSingle().CopyTo(destination[i..]);
            (high << 16).AsSingle().CopyTo(destination[(i + Vector256<uint>.Count)..]);
        }

        for (; i < source.Length; i++)
            destination[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
    }

    private static void WidenHalf(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        int i = 0;
        for (; i <= source.Length - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
        {
            (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Vector256.Create(source[i..]));
            WidenHalf(low).CopyTo(destination[i..]);
            WidenHalf(high).CopyTo(destination[(i + Vector256<uint>.Count)..]);
        }

        for (; i < source.Length; i++)
            destination[i] = (float)BitConverter.UInt16BitsToHalf(source[i]);
    }

    /// <summary>
    /// Exponent and fraction move up by 13 bits, which leaves the exponent's bias short by 112: multiplying by 2¹¹² mends that, subnormals included.
    /// Infinity and NaN get the widest exponent by hand, and NaN the quiet bit.
    /// </summary>
    private static Vector256<float> WidenHalf(Vector256<uint> half)
    {
        Vector256<uint> magnitude = (half & Vector256.Create(0x7FFFu)) << 13;
        Vector256<uint> sign = (half & Vector256.Create(0x8000u)) << 16;
        Vector256<uint> finite = (magnitude.AsSingle() * Vector256.Create(BitConverter.UInt32BitsToSingle((127 + 112) << 23))).AsUInt32();
        Vector256<uint> infinite = magnitude | Vector256.Create(0x7F800000u);
        Vector256<uint> isNaN = Vector256.GreaterThan(magnitude, Vector256.Create(0x0F800000u));
        infinite |= isNaN & Vector256.Create(0x00400000u);
        Vector256<uint> special = Vector256.GreaterThanOrEqual(magnitude, Vector256.Create(0x0F800000u));
        return (Vector256.ConditionalSelect(special, infinite, finite) | sign).AsSingle();
    }
}
