using LinearCald.Gpu.Debug;

namespace LinearCald.Gpu;

/// <summary>
/// Matrix products of a warpgroup: four warps, the first of them a multiple of four, which all come to every call here together (PTX ISA "wgmma"; Hopper only). D is
/// 64 × N; of its float32 sums thread t of the warpgroup, w = t / 32, l = t mod 32, holds in register i row 16 w + l / 4 + 8 (i / 2 mod 2), column 8 (i / 4) + 2 (l mod 4) + i mod 2.
/// </summary>
/// <remarks>
/// A product runs on while the threads go on: <see cref="Fence"/>, products, <see cref="Commit"/>, and after <see cref="Wait"/> the sums may be touched, and the operands
/// overwritten. Sums stay in the same registers from product to product, around loops too; the compiler refuses a kernel that touches or copies them in between. The debug
/// device computes at once.
/// </remarks>
public static class Wgmma
{
    /// <summary>Orders accesses to the sums' registers before the products that follow. Needed before the first product and after every access.</summary>
    [Intrinsic]
    public static void Fence() => Lane.Fence();

    /// <summary>Closes a group of products.</summary>
    [Intrinsic]
    public static void Commit() => Lane.Fence();

    /// <summary>Waits until at most <paramref name="groups"/> (0 … 7; known to the compiler) of the newest groups are still running.</summary>
    [Intrinsic]
    public static void Wait(int groups) => Lane.Current.WaitForProducts(groups);

    /// <summary>Starts sums = a b, or sums += a b, for bfloat16 a (64 × 16) and b (16 × N), N = 2 · <typeparamref name="TCount"/>, a multiple of 8 up to 256.</summary>
    [Intrinsic]
    public static void BFloat16<TCount>(ref Registers<float, TCount> sums, WgmmaOperand a, WgmmaOperand b, bool accumulate = true)
        where TCount : struct, ICount => Lane.Current.WarpgroupProduct(ref sums, a, b, accumulate, MatrixFormat.BFloat16);

    /// <summary>The same for float16.</summary>
    [Intrinsic]
    public static void Half<TCount>(ref Registers<float, TCount> sums, WgmmaOperand a, WgmmaOperand b, bool accumulate = true)
        where TCount : struct, ICount => Lane.Current.WarpgroupProduct(ref sums, a, b, accumulate, MatrixFormat.Half);

    /// <summary>
    /// The same for tf32 a (64 × 8) and b (8 × N), both with k as the inner dimension. Of the words in shared memory the low 13 bits are ignored:
    /// <see cref="TensorElement.TensorFloat32"/> rounds them.
    /// </summary>
    [Intrinsic]
    public static void TensorFloat32<TCount>(ref Registers<float, TCount> sums, WgmmaOperand a, WgmmaOperand b, bool accumulate = true)
        where TCount : struct, ICount => Lane.Current.WarpgroupProduct(ref sums, a, b, accumulate, MatrixFormat.TensorFloat32);

    /// <summary>
    /// The same with a in registers, 64 × 16: those that sums of eight columns, and of the eight after them, leave when packed in pairs, X and Z from registers 0 and 1, Y and W from
    /// 2 and 3. They are not written again before the product is over; between their making and the product stands a <see cref="Fence"/>.
    /// </summary>
    [Intrinsic]
    public static void BFloat16<TCount>(ref Registers<float, TCount> sums, UInt4 a, WgmmaOperand b, bool accumulate = true)
        where TCount : struct, ICount => Lane.Current.WarpgroupProduct(ref sums, a, b, accumulate, MatrixFormat.BFloat16);

    /// <summary>The same for float16.</summary>
    [Intrinsic]
    public static void Half<TCount>(ref Registers<float, TCount> sums, UInt4 a, WgmmaOperand b, bool accumulate = true)
        where TCount : struct, ICount => Lane.Current.WarpgroupProduct(ref sums, a, b, accumulate, MatrixFormat.Half);
}
