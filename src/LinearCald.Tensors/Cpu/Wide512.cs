using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LinearCald.Tensors.Cpu;

/// <summary>512 bits of lanes: a <see cref="Vector512{T}"/> under the operations that the kernels are written in.</summary>
/// <param name="value">The register.</param>
internal readonly unsafe struct Wide512<T>(Vector512<T> value) : ISimd<Wide512<T>, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The register itself, for code that works on vectors directly.</summary>
    public readonly Vector512<T> Value = value;

    public static int Width => Vector512<T>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> Load(T* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* destination) => Vector512.Store(Value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> Of(double constant) => typeof(T) == typeof(float)
        ? new(Vector512.Create((float)constant).As<float, T>())
        : new(Vector512.Create(constant).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> Broadcast(T value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> operator +(Wide512<T> left, Wide512<T> right) => new(left.Value + right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> operator -(Wide512<T> left, Wide512<T> right) => new(left.Value - right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> operator *(Wide512<T> left, Wide512<T> right) => new(left.Value * right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> operator /(Wide512<T> left, Wide512<T> right) => new(left.Value / right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> operator -(Wide512<T> value) => new(-value.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> Fma(Wide512<T> a, Wide512<T> b, Wide512<T> c) => typeof(T) == typeof(float)
        ? new(Vector512.MultiplyAddEstimate(a.Value.AsSingle(), b.Value.AsSingle(), c.Value.AsSingle()).As<float, T>())
        : new(Vector512.MultiplyAddEstimate(a.Value.AsDouble(), b.Value.AsDouble(), c.Value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> MinNative(Wide512<T> left, Wide512<T> right) => new(Vector512.MinNative(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> MaxNative(Wide512<T> left, Wide512<T> right) => new(Vector512.MaxNative(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> Max(Wide512<T> left, Wide512<T> right) => new(Vector512.Max(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> Abs(Wide512<T> value) => new(Vector512.Abs(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> Sqrt(Wide512<T> value) => new(Vector512.Sqrt(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> Round(Wide512<T> value) => typeof(T) == typeof(float)
        ? new(Vector512.Round(value.Value.AsSingle()).As<float, T>())
        : new(Vector512.Round(value.Value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> CopySign(Wide512<T> magnitude, Wide512<T> sign) => new(Vector512.CopySign(magnitude.Value, sign.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> ScaleByPowerOfTwo(Wide512<T> value, Wide512<T> power)
    {
        if (Avx512F.IsSupported)
        {
            return typeof(T) == typeof(float)
                ? new(Avx512F.Scale(value.Value.AsSingle(), power.Value.AsSingle()).As<float, T>())
                : new(Avx512F.Scale(value.Value.AsDouble(), power.Value.AsDouble()).As<double, T>());
        }

        // In two steps, because one power of two cannot reach the subnormals.
        Wide512<T> half = Round(power * Of(0.5));
        return value * PowerOfTwo(half) * PowerOfTwo(power - half);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> ExpNative(Wide512<T> value) => typeof(T) == typeof(float)
        ? new(Vector512.Exp(value.Value.AsSingle()).As<float, T>())
        : new(Vector512.Exp(value.Value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> LogNative(Wide512<T> value) => typeof(T) == typeof(float)
        ? new(Vector512.Log(value.Value.AsSingle()).As<float, T>())
        : new(Vector512.Log(value.Value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> LessThan(Wide512<T> left, Wide512<T> right) => new(Vector512.LessThan(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> Equal(Wide512<T> left, Wide512<T> right) => new(Vector512.Equals(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512<T> Select(Wide512<T> mask, Wide512<T> whenTrue, Wide512<T> whenFalse) =>
        new(Vector512.ConditionalSelect(mask.Value, whenTrue.Value, whenFalse.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T SumLanes() => new Wide256<T>(Value.GetLower() + Value.GetUpper()).SumLanes();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T MaxLanes() => new Wide256<T>(Vector256.Max(Value.GetLower(), Value.GetUpper())).MaxLanes();

    /// <summary>2^n for an integral n within the normal exponents: adding 1.5·2^(fraction bits) leaves n in the low bits, which become the exponent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Wide512<T> PowerOfTwo(Wide512<T> n)
    {
        if (typeof(T) == typeof(float))
        {
            Vector512<int> bits = (n.Value.AsSingle() + Vector512.Create(12582912f)).AsInt32();
            return new(((bits + Vector512.Create(127)) << 23).As<int, T>());
        }

        Vector512<long> wide = (n.Value.AsDouble() + Vector512.Create(6755399441055744.0)).AsInt64();
        return new(((wide + Vector512.Create(1023L)) << 52).As<long, T>());
    }
}
