using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>An operand type of warpgroup products. One product takes 32 bytes of k.</summary>
internal interface IWarpgroupElement
{
    /// <summary>Bytes of an element in shared memory.</summary>
    static abstract int ElementBytes { get; }

    /// <summary>Starts sums = a b, or sums += a b, see <see cref="Wgmma"/>.</summary>
    static abstract void Multiply<TCount>(ref Registers<float, TCount> sums, WgmmaOperand a, WgmmaOperand b, bool accumulate = true)
        where TCount : struct, ICount;
}

/// <summary>An operand type of two bytes an element, which also comes from registers.</summary>
internal interface IWarpgroupOperand : IWarpgroupElement
{
    /// <summary>Starts sums += a b with a in registers.</summary>
    static abstract void Multiply<TCount>(ref Registers<float, TCount> sums, UInt4 a, WgmmaOperand b)
        where TCount : struct, ICount;

    /// <summary>Two numbers rounded to elements, <paramref name="low"/> in the lower half.</summary>
    static abstract uint Pack(float low, float high);

    /// <summary>The nearest number that an element can be.</summary>
    static abstract float Rounded(float value);
}

/// <summary>float32 in device memory, rounded to tf32 by the copy engine (<see cref="TensorElement.TensorFloat32"/>). k is the inner dimension of both operands.</summary>
internal readonly struct TensorFloat32Warpgroup : IWarpgroupElement
{
    /// <inheritdoc/>
    public static int ElementBytes => sizeof(float);

    /// <inheritdoc/>
    public static void Multiply<TCount>(ref Registers<float, TCount> sums, WgmmaOperand a, WgmmaOperand b, bool accumulate)
        where TCount : struct, ICount => Wgmma.TensorFloat32(ref sums, a, b, accumulate);
}

/// <summary>bfloat16.</summary>
internal readonly struct BFloat16Warpgroup : IWarpgroupOperand
{
    /// <inheritdoc/>
    public static int ElementBytes => sizeof(ushort);

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
    public static int ElementBytes => sizeof(ushort);

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
