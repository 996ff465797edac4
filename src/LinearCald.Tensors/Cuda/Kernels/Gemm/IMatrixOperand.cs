using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>An operand type of the tensor cores. One step along k takes 32 bytes of a row: 16 elements of two bytes, or 8 of four.</summary>
internal interface IMatrixOperand
{
    /// <summary>Bytes of an element in memory.</summary>
    static abstract int ElementBytes { get; }

    /// <summary>What the product takes of its first operand, from a fragment as it lies in memory.</summary>
    static abstract UInt4 Rows(UInt4 fragment);

    /// <summary>What two products take of their second operand, from two fragments as they lie in memory.</summary>
    static abstract UInt4 Columns(UInt4 fragments);

    /// <summary>accumulator + a b for one 16 × 8 block, see <see cref="Mma"/>.</summary>
    static abstract Float4 Multiply(Float4 accumulator, UInt4 a, UInt2 b);
}

/// <summary>bfloat16.</summary>
internal readonly struct BFloat16Operand : IMatrixOperand
{
    /// <inheritdoc/>
    public static int ElementBytes => 2;

    /// <inheritdoc/>
    public static UInt4 Rows(UInt4 fragment) => fragment;

    /// <inheritdoc/>
    public static UInt4 Columns(UInt4 fragments) => fragments;

    /// <inheritdoc/>
    public static Float4 Multiply(Float4 accumulator, UInt4 a, UInt2 b) => Mma.BFloat16(accumulator, a, b);
}

/// <summary>float16.</summary>
internal readonly struct HalfOperand : IMatrixOperand
{
    /// <inheritdoc/>
    public static int ElementBytes => 2;

    /// <inheritdoc/>
    public static UInt4 Rows(UInt4 fragment) => fragment;

    /// <inheritdoc/>
    public static UInt4 Columns(UInt4 fragments) => fragments;

    /// <inheritdoc/>
    public static Float4 Multiply(Float4 accumulator, UInt4 a, UInt2 b) => Mma.Half(accumulator, a, b);
}

/// <summary>float32 in memory, rounded to nearest tf32 on its way into the product: the units would cut the low bits off, which biases sums.</summary>
internal readonly struct TensorFloat32Operand : IMatrixOperand
{
    /// <inheritdoc/>
    public static int ElementBytes => 4;

    /// <inheritdoc/>
    public static UInt4 Rows(UInt4 fragment) => Round(fragment);

    /// <inheritdoc/>
    public static UInt4 Columns(UInt4 fragments) => Round(fragments);

    /// <inheritdoc/>
    public static Float4 Multiply(Float4 accumulator, UInt4 a, UInt2 b) => Mma.TensorFloat32(accumulator, a, b);

    private static UInt4 Round(UInt4 fragment) => new(Round(fragment.X), Round(fragment.Y), Round(fragment.Z), Round(fragment.W));

    private static uint Round(uint bits) => Packed.TensorFloat32(BitConverter.UInt32BitsToSingle(bits));
}

/// <summary>
/// float32 in memory, of which a product takes high + low, the number rounded to bfloat16 and what is left rounded likewise: 16 digits. A step has 8 elements of k, and the
/// product of bfloat16 numbers 16 places: the first eight take the high parts of a row and the last eight its low ones, so that two products, with the high parts of
/// a column in both halves and with its low ones, make (high + low) (high + low). Which element goes to which place does not matter, so that no lane needs what
/// another has.
/// </summary>
internal readonly struct TwoBFloat16Operand : IMatrixOperand
{
    /// <inheritdoc/>
    public static int ElementBytes => 4;

    /// <inheritdoc/>
    public static UInt4 Rows(UInt4 fragment)
    {
        uint upper = High(fragment.X, fragment.Z), lower = High(fragment.Y, fragment.W);
        return new(upper, lower, Low(fragment.X, fragment.Z, upper), Low(fragment.Y, fragment.W, lower));
    }

    /// <inheritdoc/>
    public static UInt4 Columns(UInt4 fragments)
    {
        uint first = High(fragments.X, fragments.Y), second = High(fragments.Z, fragments.W);
        return new(first, Low(fragments.X, fragments.Y, first), second, Low(fragments.Z, fragments.W, second));
    }

    /// <inheritdoc/>
    public static Float4 Multiply(Float4 accumulator, UInt4 a, UInt2 b) =>
        Mma.BFloat16(Mma.BFloat16(accumulator, a, new UInt2(b.Y, b.Y)), a, new UInt2(b.X, b.X));

    private static uint High(uint first, uint second) => Packed.BFloat16(BitConverter.UInt32BitsToSingle(first), BitConverter.UInt32BitsToSingle(second));

    private static uint Low(uint first, uint second, uint high) => Packed.BFloat16(
        BitConverter.UInt32BitsToSingle(first) - Packed.LowBFloat16(high), BitConverter.UInt32BitsToSingle(second) - Packed.HighBFloat16(high));
}
