using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// A register of floating-point lanes. Kernels are written once over this and compiled by the JIT for each width:
/// <see cref="Wide512{T}"/>, <see cref="Wide256{T}"/>, <see cref="Wide128{T}"/> and, for what is left of a row, <see cref="Lane{T}"/>.
/// </summary>
/// <remarks>A mask is a register whose lanes have all bits set (true) or none (false).</remarks>
internal unsafe interface ISimd<TSelf, T>
    where TSelf : unmanaged, ISimd<TSelf, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Number of lanes.</summary>
    static abstract int Width { get; }

    /// <summary>Reads <see cref="Width"/> elements; no alignment is asked for.</summary>
    static abstract TSelf Load(T* source);

    /// <summary>Writes <see cref="Width"/> elements; no alignment is asked for.</summary>
    void Store(T* destination);

    /// <summary>A constant in every lane, rounded to <typeparamref name="T"/>; folded at compile time where the argument is a literal.</summary>
    static abstract TSelf Of(double constant);

    /// <summary>One value in every lane.</summary>
    static abstract TSelf Broadcast(T value);

    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, TSelf right);

    static abstract TSelf operator /(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf value);

    /// <summary>a·b + c, rounded once where the processor has the instruction and twice where not.</summary>
    static abstract TSelf Fma(TSelf a, TSelf b, TSelf c);

    /// <summary>The smaller one in a single instruction. Not symmetric in NaN on x86: only a NaN in <paramref name="right"/> is sure to pass.</summary>
    static abstract TSelf MinNative(TSelf left, TSelf right);

    /// <summary>The larger one in a single instruction. Not symmetric in NaN on x86: only a NaN in <paramref name="right"/> is sure to pass.</summary>
    static abstract TSelf MaxNative(TSelf left, TSelf right);

    /// <summary>The larger one; NaN if either is.</summary>
    static abstract TSelf Max(TSelf left, TSelf right);

    static abstract TSelf Abs(TSelf value);

    static abstract TSelf Sqrt(TSelf value);

    /// <summary>To the nearest integer, ties to even.</summary>
    static abstract TSelf Round(TSelf value);

    /// <summary>The magnitude of one with the sign of the other.</summary>
    static abstract TSelf CopySign(TSelf magnitude, TSelf sign);

    /// <summary>value · 2^power for integral powers of magnitude up to twice the exponent range; overflows to infinity, underflows through the subnormals.</summary>
    static abstract TSelf ScaleByPowerOfTwo(TSelf value, TSelf power);

    /// <summary>The platform's exponential: within 1 ulp, slower than <see cref="VectorMath.Exp{TV, T}"/> in float32.</summary>
    static abstract TSelf ExpNative(TSelf value);

    /// <summary>The platform's natural logarithm, within 1 ulp.</summary>
    static abstract TSelf LogNative(TSelf value);

    static abstract TSelf LessThan(TSelf left, TSelf right);

    static abstract TSelf Equal(TSelf left, TSelf right);

    /// <summary>Lanes of <paramref name="whenTrue"/> where the mask is set, else of <paramref name="whenFalse"/>.</summary>
    static abstract TSelf Select(TSelf mask, TSelf whenTrue, TSelf whenFalse);

    /// <summary>All lanes added in a fixed tree.</summary>
    T SumLanes();

    /// <summary>The largest lane; NaN if any lane is.</summary>
    T MaxLanes();
}
