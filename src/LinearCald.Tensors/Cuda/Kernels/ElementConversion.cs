using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Elements of every type as raw bits, and conversion between types with the results of the CPU's copy: floating-point numbers round to nearest even, to
/// integers they are cut towards zero (through 64 bits, of which narrower ones keep the lowest), anything but zero is true.
/// </summary>
/// <remarks>Types are constants to the compiler, so that every switch here vanishes.</remarks>
internal static class ElementConversion
{
    /// <summary>Bytes of an element.</summary>
    public static int Size(DType type)
    {
        switch (type)
        {
            case DType.Float64:
            case DType.Int64:
                return 8;
            case DType.Float32:
            case DType.Int32:
                return 4;
            case DType.BFloat16:
            case DType.Float16:
                return 2;
            default:
                return 1;
        }
    }

    /// <summary>The bits of an element, zero-extended.</summary>
    public static ulong Load(View<byte> x, long i, int size)
    {
        switch (size)
        {
            case 8:
                return x.As<ulong>()[i];
            case 4:
                return x.As<uint>()[i];
            case 2:
                return x.As<ushort>()[i];
            default:
                return x[i];
        }
    }

    /// <summary>Writes the lowest bits.</summary>
    public static void Store(View<byte> y, long i, int size, ulong bits)
    {
        View<byte> target = y;
        switch (size)
        {
            case 8:
                View<ulong> y8 = target.As<ulong>();
                y8[i] = bits;
                break;
            case 4:
                View<uint> y4 = target.As<uint>();
                y4[i] = (uint)bits;
                break;
            case 2:
                View<ushort> y2 = target.As<ushort>();
                y2[i] = (ushort)bits;
                break;
            default:
                target[i] = (byte)bits;
                break;
        }
    }

    /// <summary>The bits of the same number in another type.</summary>
    public static ulong Convert(ulong bits, DType from, DType to)
    {
        if (from == to)
        {
            return bits;
        }

        if (Size(from) <= 4 && Size(to) <= 4)
        {
            return ConvertShort((uint)bits, from, to);
        }

        if (IsInteger(from) && IsInteger(to))
        {
            return FromLong(from == DType.Int32 ? (int)bits : (long)bits, to);
        }

        return FromDouble(ToDouble(bits, from), to);
    }

    /// <summary>The same between types of at most four bytes, without 64-bit arithmetic where that gives the same results.</summary>
    public static uint ConvertShort(uint bits, DType from, DType to)
    {
        if (from == to)
        {
            return bits;
        }

        if (IsInteger(from))
        {
            if (to == DType.Bool)
            {
                return bits != 0 ? 1u : 0u;
            }

            // What float32 cannot hold of an integer is infinite in float16.
            return IsInteger(to) ? bits : FromFloat((int)bits, to);
        }

        float value = ToFloat(bits, from);
        if (to == DType.Bool)
        {
            return value == 0f ? 0u : 1u;
        }

        return IsInteger(to) ? (uint)(long)value : FromFloat(value, to);
    }

    /// <summary>The value of an element of float32, bfloat16 or float16.</summary>
    public static float ToFloat(uint bits, DType type)
    {
        switch (type)
        {
            case DType.BFloat16:
                return Packed.LowBFloat16(bits);
            case DType.Float16:
                return Packed.LowHalf(bits);
            default:
                return BitConverter.UInt32BitsToSingle(bits);
        }
    }

    /// <summary>Whether float32 holds every value.</summary>
    public static bool IsShortFloat(DType type) => type is DType.Float32 or DType.BFloat16 or DType.Float16;

    private static bool IsInteger(DType type) => type is DType.Int32 or DType.Int64 or DType.UInt8 or DType.Bool;

    private static uint FromFloat(float value, DType type)
    {
        switch (type)
        {
            case DType.BFloat16:
                return (ushort)Packed.BFloat16(value, 0f);
            case DType.Float16:
                return (ushort)Packed.Half(value, 0f);
            default:
                return BitConverter.SingleToUInt32Bits(value);
        }
    }

    private static ulong FromLong(long value, DType type) => type == DType.Bool ? (value != 0 ? 1UL : 0UL) : (ulong)value;

    private static double ToDouble(ulong bits, DType type)
    {
        switch (type)
        {
            case DType.Float64:
                return BitConverter.UInt64BitsToDouble(bits);
            case DType.Float32:
            case DType.BFloat16:
            case DType.Float16:
                return ToFloat((uint)bits, type);
            case DType.Int64:
                return (long)bits;
            default:
                return (int)bits;
        }
    }

    private static ulong FromDouble(double value, DType type)
    {
        switch (type)
        {
            case DType.Float64:
                return BitConverter.DoubleToUInt64Bits(value);
            case DType.Float32:
            case DType.BFloat16:
                return FromFloat((float)value, type);
            case DType.Float16:
                return FromFloat(RoundToOdd(value), type);
            case DType.Bool:
                return value == 0.0 ? 0UL : 1UL;
            default:
                return (ulong)(long)value;
        }
    }

    /// <summary>
    /// A float32 that rounds to the float16 that the number itself would round to: where float32 cannot hold the number, the neighbour whose last bit is
    /// one, which keeps the second rounding from seeing a tie (Boldo and Melquiond 2008).
    /// </summary>
    private static float RoundToOdd(double value)
    {
        float nearest = (float)value;
        double back = nearest;
        uint bits = BitConverter.SingleToUInt32Bits(nearest);
        bool inexact = back != value && MathF.Abs(nearest) < float.PositiveInfinity;
        if (inexact && (bits & 1) == 0)
        {
            bits += Math.Abs(back) < Math.Abs(value) ? 1u : 0xFFFFFFFFu;
        }

        return BitConverter.UInt32BitsToSingle(bits);
    }
}
