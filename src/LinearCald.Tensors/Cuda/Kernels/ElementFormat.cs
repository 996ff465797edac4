using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// How a floating-point type lies in device memory. Kernels compute in float32 whatever they store; they are generic over a format, so that one
/// method serves every type. A vector is 16 bytes: <see cref="Lanes"/> elements, in the first registers of eight.
/// </summary>
/// <typeparam name="TWord">The primitive that holds one element: the element type itself, or its bits.</typeparam>
internal interface IElementFormat<TWord>
    where TWord : unmanaged
{
    /// <summary>Elements of a 16-byte vector.</summary>
    static abstract int Lanes { get; }

    /// <summary>The type as the tensor library names it.</summary>
    static abstract DType Type { get; }

    /// <summary>The element's value; exact.</summary>
    static abstract float Widen(TWord word);

    /// <summary>The nearest element, ties to even; NaN stays NaN, what is too large becomes infinite.</summary>
    static abstract TWord Narrow(float value);

    /// <summary>The values of a vector's elements, in registers 0 … <see cref="Lanes"/> − 1; the others stay undefined.</summary>
    static abstract Registers<float, N8> Unpack(UInt4 vector);

    /// <summary>The vector of registers 0 … <see cref="Lanes"/> − 1, rounded as <see cref="Narrow"/> does.</summary>
    static abstract UInt4 Pack(Registers<float, N8> values);
}

/// <summary>float32.</summary>
internal readonly struct Float32Format : IElementFormat<float>
{
    public static int Lanes => 4;

    public static DType Type => DType.Float32;

    public static float Widen(float word) => word;

    public static float Narrow(float value) => value;

    public static Registers<float, N8> Unpack(UInt4 vector)
    {
        Registers<float, N8> values = default;
        values[0] = BitConverter.UInt32BitsToSingle(vector.X);
        values[1] = BitConverter.UInt32BitsToSingle(vector.Y);
        values[2] = BitConverter.UInt32BitsToSingle(vector.Z);
        values[3] = BitConverter.UInt32BitsToSingle(vector.W);
        return values;
    }

    public static UInt4 Pack(Registers<float, N8> values) => new(
        BitConverter.SingleToUInt32Bits(values[0]),
        BitConverter.SingleToUInt32Bits(values[1]),
        BitConverter.SingleToUInt32Bits(values[2]),
        BitConverter.SingleToUInt32Bits(values[3]));
}

/// <summary>bfloat16, as its bits.</summary>
internal readonly struct BFloat16Format : IElementFormat<ushort>
{
    public static int Lanes => 8;

    public static DType Type => DType.BFloat16;

    public static float Widen(ushort word) => Packed.LowBFloat16(word);

    public static ushort Narrow(float value) => (ushort)Packed.BFloat16(value, 0f);

    public static Registers<float, N8> Unpack(UInt4 vector)
    {
        Registers<float, N8> values = default;
        values[0] = Packed.LowBFloat16(vector.X);
        values[1] = Packed.HighBFloat16(vector.X);
        values[2] = Packed.LowBFloat16(vector.Y);
        values[3] = Packed.HighBFloat16(vector.Y);
        values[4] = Packed.LowBFloat16(vector.Z);
        values[5] = Packed.HighBFloat16(vector.Z);
        values[6] = Packed.LowBFloat16(vector.W);
        values[7] = Packed.HighBFloat16(vector.W);
        return values;
    }

    public static UInt4 Pack(Registers<float, N8> values) => new(
        Packed.BFloat16(values[0], values[1]),
        Packed.BFloat16(values[2], values[3]),
        Packed.BFloat16(values[4], values[5]),
        Packed.BFloat16(values[6], values[7]));
}

/// <summary>IEEE float16, as its bits.</summary>
internal readonly struct Float16Format : IElementFormat<ushort>
{
    public static int Lanes => 8;

    public static DType Type => DType.Float16;

    public static float Widen(ushort word) => Packed.LowHalf(word);

    public static ushort Narrow(float value) => (ushort)Packed.Half(value, 0f);

    public static Registers<float, N8> Unpack(UInt4 vector)
    {
        Registers<float, N8> values = default;
        values[0] = Packed.LowHalf(vector.X);
        values[1] = Packed.HighHalf(vector.X);
        values[2] = Packed.LowHalf(vector.Y);
        values[3] = Packed.HighHalf(vector.Y);
        values[4] = Packed.LowHalf(vector.Z);
        values[5] = Packed.HighHalf(vector.Z);
        values[6] = Packed.LowHalf(vector.W);
        values[7] = Packed.HighHalf(vector.W);
        return values;
    }

    public static UInt4 Pack(Registers<float, N8> values) => new(
        Packed.Half(values[0], values[1]),
        Packed.Half(values[2], values[3]),
        Packed.Half(values[4], values[5]),
        Packed.Half(values[6], values[7]));
}
