using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>An operand type of warpgroup products, two bytes an element.</summary>
internal interface IWarpgroupOperand
{
    /// <summary>Starts sums = a b, or sums += a b, see <see cref="Wgmma"/>.</summary>
    static abstract void Multiply<TCount>(ref Registers<float, TCount> sums, WgmmaOperand a, WgmmaOperand b, bool accumulate = true)
        where TCount : struct, ICount;

    /// <summary>Starts sums += a b with a in registers.</summary>
    static abstract void Multiply<TCount>(ref Registers<float, TCount> sums, UInt4 a, WgmmaOperand b)
        where TCount : struct, ICount;

    /// <summary>Two numbers rounded to elements, <paramref name="low"/> in the lower half.</summary>
    static abstract uint Pack(float low, float high);

    /// <summary>The nearest number that an element can be.</summary>
    static abstract float Rounded(float value);
}

/// <summary>bfloat16.</summary>
internal readonly struct BFloat16Warpgroup : IWarpgroupOperand
{
    /// <inheritdoc/>
    public static void Multiply<TCount>(ref Registers<float, TCount> sums, WgmmaOperand a, WgmmaOperand b, bool accumulate)
        where TCount : struct, ICount => Wgmma.BFloat16(ref sums, a, b, accumulate);

    /// <inheritdoc/>
    public static void Multiply<TCount>(ref Registers<float, TCount> sums, UInt4 a, WgmmaOperand b)
        where TCount : struct, ICount => Wgmma.BFloat16(ref sums, a, b);

    /// <inheritdoc/>
    public static uint Pack(float low, float high) => Packed.BFloat16(low, high);

    /// <inheritdoc/>
    public static float Rounded(float value) => Packed.LowBFloat16(Packed.BFloat16(value, 0));
}

/// <summary>float16.</summary>
internal readonly struct HalfWarpgroup : IWarpgroupOperand
{
    /// <inheritdoc/>
    public static void Multiply<TCount>(ref Registers<float, TCount> sums, WgmmaOperand a, WgmmaOperand b, bool accumulate)
        where TCount : struct, ICount => Wgmma.Half(ref sums, a, b, accumulate);

    /// <inheritdoc/>
    public static void Multiply<TCount>(ref Registers<float, TCount> sums, UInt4 a, WgmmaOperand b)
        where TCount : struct, ICount => Wgmma.Half(ref sums, a, b);

    /// <inheritdoc/>
    public static uint Pack(float low, float high) => Packed.Half(low, high);

    /// <inheritdoc/>
    public static float Rounded(float value) => Packed.LowHalf(Packed.Half(value, 0));
}
