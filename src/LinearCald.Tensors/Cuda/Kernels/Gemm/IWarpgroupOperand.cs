using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>An operand type of warpgroup products, two bytes an element.</summary>
internal interface IWarpgroupOperand
{
    /// <summary>Starts sums += a b, see <see cref="Wgmma"/>.</summary>
    static abstract void Multiply<TCount>(ref Registers<float, TCount> sums, WgmmaOperand a, WgmmaOperand b)
        where TCount : struct, ICount;
}

/// <summary>bfloat16.</summary>
internal readonly struct BFloat16Warpgroup : IWarpgroupOperand
{
    /// <inheritdoc/>
    public static void Multiply<TCount>(ref Registers<float, TCount> sums, WgmmaOperand a, WgmmaOperand b)
        where TCount : struct, ICount => Wgmma.BFloat16(ref sums, a, b);
}

/// <summary>float16.</summary>
internal readonly struct HalfWarpgroup : IWarpgroupOperand
{
    /// <inheritdoc/>
    public static void Multiply<TCount>(ref Registers<float, TCount> sums, WgmmaOperand a, WgmmaOperand b)
        where TCount : struct, ICount => Wgmma.Half(ref sums, a, b);
}
