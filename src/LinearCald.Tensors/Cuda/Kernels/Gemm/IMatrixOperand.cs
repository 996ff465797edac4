using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>An operand type of the tensor cores. One step along k takes 32 bytes of a row: 16 elements of two bytes, or 8 of four.</summary>
internal interface IMatrixOperand
{
    /// <summary>Bytes of an element in memory.</summary>
    static abstract int ElementBytes { get; }

    /// <summary>What the product takes, from what lies in memory.</summary>
    static abstract UInt4 Round(UInt4 fragment);

    /// <summary>accumulator + a b for one 16 × 8 block, see <see cref="Mma"/>.</summary>
    static abstract Float4 Multiply(Float4 accumulator, UInt4 a, UInt2 b);
}

/// <summary>bfloat16.</summary>
internal readonly struct BFloat16Operand : IMatrixOperand
{
    /// <inheritdoc/>
    public static int ElementBytes => 2;

    /// <inheritdoc/>
    public static UInt4 Round(UInt4 fragment) => fragment;

    /// <inheritdoc/>
    public static Float4 Multiply(Float4 accumulator, UInt4 a, UInt2 b) => Mma.BFloat16(accumulator, a, b);
}

/// <summary>float16.</summary>
internal readonly struct HalfOperand : IMatrixOperand
{
    /// <inheritdoc/>
    public static int ElementBytes => 2;

    /// <inheritdoc/>
    public static UInt4 Round(UInt4 fragment) => fragment;

    /// <inheritdoc/>
    public static Float4 Multiply(Float4 accumulator, UInt4 a, UInt2 b) => Mma.Half(accumulator, a, b);
}

/// <summary>float32 in memory, rounded to nearest tf32 on its way into the product: the units would cut the low bits off, which biases sums.</summary>
internal readonly struct TensorFloat32Operand : IMatrixOperand
{
    /// <inheritdoc/>
    public static int ElementBytes => 4;

    /// <inheritdoc/>
    public static UInt4 Round(UInt4 fragment) => new(Round(fragment.X), Round(fragment.Y), Round(fragment.Z), Round(fragment.W));

    /// <inheritdoc/>
    public static Float4 Multiply(Float4 accumulator, UInt4 a, UInt2 b) => Mma.TensorFloat32(accumulator, a, b);

    private static uint Round(uint bits) => Packed.TensorFloat32(BitConverter.UInt32BitsToSingle(bits));
}
