using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Products of one warp on tiles in shared memory. The result has 16·M rows and 8·N columns: element m·N + n of <c>sum</c> is a block of 16 × 8, of which
/// a lane holds rows g (X, Y) and g + 8 (Z, W) at columns 2c, 2c + 1, with g = lane / 4, c = lane mod 4. Tiles have rows of <c>stride</c> elements:
/// the columns rounded up to whole blocks plus <see cref="Padding"/>, which keeps the banks apart. All integers are known to the compiler.
/// </summary>
/// <typeparam name="T">What tiles and device memory hold: float, or the bits of a 16-bit float.</typeparam>
internal interface ITileProduct<T>
    where T : unmanaged
{
    /// <summary>Unused elements after a tile's row: 16 bytes, so that eight rows start in different banks.</summary>
    static abstract int Padding { get; }

    /// <summary>sum += a bᵀ: a has the warp's rows, b the columns, both of <paramref name="depth"/> elements (a multiple of 16).</summary>
    static abstract void RowsByRows<TM, TN>(ref Registers<Float4, Times<TM, TN>> sum, Shared<T> a, Shared<T> b, int depth, int stride)
        where TM : struct, ICount
        where TN : struct, ICount;

    /// <summary>sum += a b: a in registers as an earlier product left it (16·M × 8·K, rounded to T), b has 8·K rows.</summary>
    static abstract void RegistersByColumns<TM, TK, TN>(ref Registers<Float4, Times<TM, TN>> sum, ref Registers<Float4, Times<TM, TK>> a, Shared<T> b, int stride)
        where TM : struct, ICount
        where TK : struct, ICount
        where TN : struct, ICount;

    /// <summary>sum += a b: a has the warp's rows of <paramref name="depth"/> elements, b has <paramref name="depth"/> rows; each tile has a stride of its own.</summary>
    static abstract void RowsByColumns<TM, TN>(ref Registers<Float4, Times<TM, TN>> sum, Shared<T> a, Shared<T> b, int depth, int strideA, int strideB)
        where TM : struct, ICount
        where TN : struct, ICount;

    /// <summary>sum += aᵀ b: both have <paramref name="depth"/> rows, a starts at the warp's column; each tile has a stride of its own.</summary>
    static abstract void ColumnsByColumns<TM, TN>(ref Registers<Float4, Times<TM, TN>> sum, Shared<T> a, Shared<T> b, int depth, int strideA, int strideB)
        where TM : struct, ICount
        where TN : struct, ICount;

    /// <summary>The stored value as a float.</summary>
    static abstract float Widen(T value);

    /// <summary>The float as it is stored.</summary>
    static abstract T Narrow(float value);

    /// <summary>sum + Σ a b over the elements of 16 bytes.</summary>
    static abstract float Dot(UInt4 a, UInt4 b, float sum);

    /// <summary>Writes elements <paramref name="index"/> (even) and <paramref name="index"/> + 1 in one access.</summary>
    static abstract void WritePair(View<T> target, long index, float low, float high);

    /// <summary>Writes elements <paramref name="index"/> (even) and <paramref name="index"/> + 1 of a tile in one access.</summary>
    static abstract void WritePair(Shared<T> target, int index, float low, float high);

    /// <summary>Reads elements <paramref name="index"/> (even) and <paramref name="index"/> + 1 of a tile in one access.</summary>
    static abstract Float2 ReadPair(Shared<T> source, int index);
}
