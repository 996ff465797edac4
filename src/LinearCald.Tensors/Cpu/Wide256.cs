using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LinearCald.Tensors.Cpu;

/// <summary>256 bits of lanes: a <see cref="Vector256{T}"/> under the operations that the kernels are written in.</summary>
/// <param name="value">The register.</param>
internal readonly unsafe struct Wide256<T>(Vector256<T> value) : ISimd<Wide256<T>, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The register itself, for code that works on vectors directly.</summary>
    public readonly Vector256<T> Value = value;

    public static int Width => Vector256<T>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> Load(T* source) => new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* destination) => Vector256.Store(Value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> Of(double constant) => typeof(T) == typeof(float)
        ? new(Vector256.Create((float)constant).As<float, T>())
        : new(Vector256.Create(constant).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> Broadcast(T value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> operator +(Wide256<T> left, Wide256<T> right) => new(left.Value + right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> operator -(Wide256<T> left, Wide256<T> right) => new(left.Value - right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> operator *(Wide256<T> left, Wide256<T> right) => new(left.Value * right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> operator /(Wide256<T> left, Wide256<T> right) => new(left.Value / right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> operator -(Wide256<T> value) => new(-value.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> Fma(Wide256<T> a, Wide256<T> b, Wide256<T> c) => typeof(T) == typeof(float)
        ? new(Vector256.MultiplyAddEstimate(a.Value.AsSingle(), b.Value.AsSingle(), c.Value.AsSingle()).As<float, T>())
        : new(Vector256.MultiplyAddEstimate(a.Value.AsDouble(), b.Value.AsDouble(), c.Value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> MinNative(Wide256<T> left, Wide256<T> right) => new(Vector256.MinNative(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> MaxNative(Wide256<T> left, Wide256<T> right) => new(Vector256.MaxNative(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> Max(Wide256<T> left, Wide256<T> right) => new(Vector256.Max(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> Abs(Wide256<T> value) => new(Vector256.Abs(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> Sqrt(Wide256<T> value) => new(Vector256.Sqrt(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> Round(Wide256<T> value) => typeof(T) == typeof(float)
        ? new(Vector256.Round(value.Value.AsSingle()).As<float, T>())
        : new(Vector256.Round(value.Value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> CopySign(Wide256<T> magnitude, Wide256<T> sign) => new(Vector256.CopySign(magnitude.Value, sign.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> ScaleByPowerOfTwo(Wide256<T> value, Wide256<T> power)
    {
        // In two steps, because one power of two cannot reach the subnormals.
        Wide256<T> half = Round(power * Of(0.5));
        return value * PowerOfTwo(half) * PowerOfTwo(power - half);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> ExpNative(Wide256<T> value) => typeof(T) == typeof(float)
        ? new(Vector256.Exp(value.Value.AsSingle()).As<float, T>())
        : new(Vector256.Exp(value.Value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> LogNative(Wide256<T> value) => typeof(T) == typeof(float)
        ? new(Vector256.Log(value.Value.AsSingle()).As<float, T>())
        : new(Vector256.Log(value.Value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> LessThan(Wide256<T> left, Wide256<T> right) => new(Vector256.LessThan(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> Equal(Wide256<T> left, Wide256<T> right) => new(Vector256.Equals(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256<T> Select(Wide256<T> mask, Wide256<T> whenTrue, Wide256<T> whenFalse) =>
        new(Vector256.ConditionalSelect(mask.Value, whenTrue.Value, whenFalse.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T SumLanes() => new Wide128<T>(Value.GetLower() + Value.GetUpper()).SumLanes();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T MaxLanes() => new Wide128<T>(Vector128.Max(Value.GetLower(), Value.GetUpper())).MaxLanes();

    /// <summary>2^n for an integral n within the normal exponents: adding 1.5·2^(fraction bits) leaves n in the low bits, which become the exponent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Wide256<T> PowerOfTwo(Wide256<T> n)
    {
        if (typeof(T) == typeof(float))
        {
            Vector256<int> bits = (n.Value.AsSingle() + Vector256.Create(12582912f)).AsInt32();
            return new(((bits + Vector256.Create(127)) << 23).As<int, T>());
        }

        Vector256<long> wide = (n.Value.AsDouble() + Vector256.Create(6755399441055744.0)).AsInt64();
        return new(((wide + Vector256.Create(1023L)) << 52).As<long, T>());
    }
}
