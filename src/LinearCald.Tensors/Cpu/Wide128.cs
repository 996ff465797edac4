using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LinearCald.Tensors.Cpu;

/// <summary>128 bits of lanes: a <see cref="Vector128{T}"/> under the operations that the kernels are written in.</summary>
/// <param name="value">The register.</param>
internal readonly unsafe struct Wide128<T>(Vector128<T> value) : ISimd<Wide128<T>, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The register itself, for code that works on vectors directly.</summary>
    public readonly Vector128<T> Value = value;

    public static int Width => Vector128<T>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> Load(T* source) => new(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* destination) => Vector128.Store(Value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> Of(double constant) => typeof(T) == typeof(float)
        ? new(Vector128.Create((float)constant).As<float, T>())
        : new(Vector128.Create(constant).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> Broadcast(T value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> operator +(Wide128<T> left, Wide128<T> right) => new(left.Value + right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> operator -(Wide128<T> left, Wide128<T> right) => new(left.Value - right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> operator *(Wide128<T> left, Wide128<T> right) => new(left.Value * right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> operator /(Wide128<T> left, Wide128<T> right) => new(left.Value / right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> operator -(Wide128<T> value) => new(-value.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> Fma(Wide128<T> a, Wide128<T> b, Wide128<T> c) => typeof(T) == typeof(float)
        ? new(Vector128.MultiplyAddEstimate(a.Value.AsSingle(), b.Value.AsSingle(), c.Value.AsSingle()).As<float, T>())
        : new(Vector128.MultiplyAddEstimate(a.Value.AsDouble(), b.Value.AsDouble(), c.Value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> MinNative(Wide128<T> left, Wide128<T> right) => new(Vector128.MinNative(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> MaxNative(Wide128<T> left, Wide128<T> right) => new(Vector128.MaxNative(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> Max(Wide128<T> left, Wide128<T> right) => new(Vector128.Max(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> Abs(Wide128<T> value) => new(Vector128.Abs(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> Sqrt(Wide128<T> value) => new(Vector128.Sqrt(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> Round(Wide128<T> value) => typeof(T) == typeof(float)
        ? new(Vector128.Round(value.Value.AsSingle()).As<float, T>())
        : new(Vector128.Round(value.Value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> CopySign(Wide128<T> magnitude, Wide128<T> sign) => new(Vector128.CopySign(magnitude.Value, sign.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> ScaleByPowerOfTwo(Wide128<T> value, Wide128<T> power)
    {
        // In two steps, because one power of two cannot reach the subnormals.
        Wide128<T> half = Round(power * Of(0.5));
        return value * PowerOfTwo(half) * PowerOfTwo(power - half);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> ExpNative(Wide128<T> value) => typeof(T) == typeof(float)
        ? new(Vector128.Exp(value.Value.AsSingle()).As<float, T>())
        : new(Vector128.Exp(value.Value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> LogNative(Wide128<T> value) => typeof(T) == typeof(float)
        ? new(Vector128.Log(value.Value.AsSingle()).As<float, T>())
        : new(Vector128.Log(value.Value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> LessThan(Wide128<T> left, Wide128<T> right) => new(Vector128.LessThan(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> Equal(Wide128<T> left, Wide128<T> right) => new(Vector128.Equals(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128<T> Select(Wide128<T> mask, Wide128<T> whenTrue, Wide128<T> whenFalse) =>
        new(Vector128.ConditionalSelect(mask.Value, whenTrue.Value, whenFalse.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T SumLanes()
    {
        Vector128<T> v = Value;
        return typeof(T) == typeof(float) ? v[0] + v[2] + (v[1] + v[3]) : v[0] + v[1];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T MaxLanes()
    {
        Vector128<T> v = Value;
        return typeof(T) == typeof(float) ? T.Max(T.Max(v[0], v[2]), T.Max(v[1], v[3])) : T.Max(v[0], v[1]);
    }

    /// <summary>2^n for an integral n within the normal exponents: adding 1.5·2^(fraction bits) leaves n in the low bits, which become the exponent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Wide128<T> PowerOfTwo(Wide128<T> n)
    {
        if (typeof(T) == typeof(float))
        {
            Vector128<int> bits = (n.Value.AsSingle() + Vector128.Create(12582912f)).AsInt32();
            return new(((bits + Vector128.Create(127)) << 23).As<int, T>());
        }

        Vector128<long> wide = (n.Value.AsDouble() + Vector128.Create(6755399441055744.0)).AsInt64();
        return new(((wide + Vector128.Create(1023L)) << 52).As<long, T>());
    }
}
