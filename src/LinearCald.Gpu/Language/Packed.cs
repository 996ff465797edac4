namespace LinearCald.Gpu;

/// <summary>Two 16-bit floats in one 32-bit word, the way matrix units and vector accesses want them; the first is the lower half.</summary>
public static class Packed
{
    /// <summary>Rounds two floats to bfloat16 (<c>cvt.rn.bf16x2.f32</c>).</summary>
    [Intrinsic]
    public static uint BFloat16(float low, float high) => ((LinearCald.BFloat16)low).Bits | ((uint)((LinearCald.BFloat16)high).Bits << 16);

    /// <summary>Rounds two floats to float16 (<c>cvt.rn.f16x2.f32</c>).</summary>
    [Intrinsic]
    public static uint Half(float low, float high) => BitConverter.HalfToUInt16Bits((System.Half)low) | ((uint)BitConverter.HalfToUInt16Bits((System.Half)high) << 16);

    /// <summary>The lower of two bfloat16 numbers; exact.</summary>
    public static float LowBFloat16(uint pair) => BitConverter.UInt32BitsToSingle(pair << 16);

    /// <summary>The upper of two bfloat16 numbers; exact.</summary>
    public static float HighBFloat16(uint pair) => BitConverter.UInt32BitsToSingle(pair & 0xFFFF0000);

    /// <summary>The lower of two float16 numbers; exact.</summary>
    [Intrinsic]
    public static float LowHalf(uint pair) => (float)BitConverter.UInt16BitsToHalf((ushort)pair);

    /// <summary>The upper of two float16 numbers; exact.</summary>
    [Intrinsic]
    public static float HighHalf(uint pair) => (float)BitConverter.UInt16BitsToHalf((ushort)(pair >> 16));

    /// <summary>The float rounded to the nearest number of ten fraction bits, ties away from zero (<c>cvt.rna.tf32.f32</c>), as its bits.</summary>
    [Intrinsic]
    public static uint TensorFloat32(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsFinite(value) ? (bits + 0x1000) & 0xFFFFE000 : bits;
    }
}
