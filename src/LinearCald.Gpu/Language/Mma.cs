using LinearCald.Gpu.Debug;

namespace LinearCald.Gpu;

/// <summary>
/// Matrix products of one warp on the tensor cores (<c>mma.sync</c>, PTX ISA "Matrix multiply-accumulate operation using mma") and the loads
/// that bring their fragments (<c>ldmatrix</c>). With g = lane / 4, c = lane mod 4, accumulators hold rows g (X, Y) and g + 8 (Z, W), columns 2c, 2c + 1.
/// </summary>
public static class Mma
{
    /// <summary>
    /// d = a b + accumulator for bfloat16 a (16 × 16) and b (16 × 8). a: X row g, k 2c, 2c+1; Y row g + 8; Z row g, k 2c + 8, +9; W row g + 8, k 2c + 8.
    /// b: X k 2c, 2c+1 of column g; Y k 2c + 8, +9. Lower half first.
    /// </summary>
    [Intrinsic]
    public static Float4 BFloat16(Float4 accumulator, UInt4 a, UInt2 b) => Lane.Current.MatrixProduct(accumulator, a, b, MatrixFormat.BFloat16);

    /// <summary>The same for float16.</summary>
    [Intrinsic]
    public static Float4 Half(Float4 accumulator, UInt4 a, UInt2 b) => Lane.Current.MatrixProduct(accumulator, a, b, MatrixFormat.Half);

    /// <summary>
    /// d = a b + accumulator for tf32 a (16 × 8) and b (8 × 8). a: X (g, c), Y (g + 8, c), Z (g, c + 4), W (g + 8, c + 4); b: X (k c, column g), Y (k c + 4, column g).
    /// Words should come from <see cref="Packed.TensorFloat32"/>; their low 13 bits are ignored.
    /// </summary>
    [Intrinsic]
    public static Float4 TensorFloat32(Float4 accumulator, UInt4 a, UInt2 b) => Lane.Current.MatrixProduct(accumulator, a, b, MatrixFormat.TensorFloat32);

    /// <summary>
    /// Four 8 × 8 matrices of 16-bit elements from rows of 16 bytes: lane i names the row i mod 8 of matrix i / 8 by the index of its first element,
    /// and receives of matrix j (X, Y, Z, W) the elements 2c, 2c+1 of row g.
    /// </summary>
    [Intrinsic]
    public static UInt4 Load<T>(Shared<T> source, int index)
        where T : unmanaged => Lane.Current.LoadMatrix(source, index, false);

    /// <summary>The same with each matrix transposed: the elements 2c, 2c+1 of column g.</summary>
    [Intrinsic]
    public static UInt4 LoadTransposed<T>(Shared<T> source, int index)
        where T : unmanaged => Lane.Current.LoadMatrix(source, index, true);
}
