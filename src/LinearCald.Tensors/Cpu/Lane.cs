using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>A register of one lane: the same operations on a single number, for the ends of rows and for processors without vectors.</summary>
/// <param name="value">The number.</param>
internal readonly unsafe struct Lane<T>(T value) : ISimd<Lane<T>, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The number itself.</summary>
    public readonly T Value = value;

    public static int Width => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> Load(T* source) => new(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* destination) => *destination = Value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> Of(double constant) => typeof(T) == typeof(float)
        ? new(Unsafe.BitCast<float, T>((float)constant))
        : new(Unsafe.BitCast<double, T>(constant));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> Broadcast(T value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> operator +(Lane<T> left, Lane<T> right) => new(left.Value + right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> operator -(Lane<T> left, Lane<T> right) => new(left.Value - right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> operator *(Lane<T> left, Lane<T> right) => new(left.Value * right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> operator /(Lane<T> left, Lane<T> right) => new(left.Value / right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> operator -(Lane<T> value) => new(-value.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> Fma(Lane<T> a, Lane<T> b, Lane<T> c) => new(T.MultiplyAddEstimate(a.Value, b.Value, c.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> MinNative(Lane<T> left, Lane<T> right) => left.Value < right.Value ? left : right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> MaxNative(Lane<T> left, Lane<T> right) => left.Value > right.Value ? left : right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> Max(Lane<T> left, Lane<T> right) => new(T.Max(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> Abs(Lane<T> value) => new(T.Abs(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> Sqrt(Lane<T> value) => new(T.Sqrt(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> Round(Lane<T> value) => new(T.Round(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> CopySign(Lane<T> magnitude, Lane<T> sign) => new(T.CopySign(magnitude.Value, sign.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> ScaleByPowerOfTwo(Lane<T> value, Lane<T> power)
    {
        if (typeof(T) == typeof(float))
        {
            float n = Unsafe.BitCast<T, float>(power.Value);
            float half = MathF.Round(n * 0.5f);
            float scale = PowerOfTwo(half);
            return new(Unsafe.BitCast<float, T>(Unsafe.BitCast<T, float>(value.Value) * scale * PowerOfTwo(n - half)));
        }

        return new(T.ScaleB(value.Value, int.CreateSaturating(power.Value)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> ExpNative(Lane<T> value) => new(T.Exp(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> LogNative(Lane<T> value) => new(T.Log(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> LessThan(Lane<T> left, Lane<T> right) => Mask(left.Value < right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> Equal(Lane<T> left, Lane<T> right) => Mask(left.Value == right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane<T> Select(Lane<T> mask, Lane<T> whenTrue, Lane<T> whenFalse) =>
        typeof(T) == typeof(float)
            ? (Unsafe.BitCast<T, int>(mask.Value) != 0 ? whenTrue : whenFalse)
            : (Unsafe.BitCast<T, long>(mask.Value) != 0 ? whenTrue : whenFalse);

    public T SumLanes() => Value;

    public T MaxLanes() => Value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Lane<T> Mask(bool condition) => typeof(T) == typeof(float)
        ? new(Unsafe.BitCast<int, T>(condition ? -1 : 0))
        : new(Unsafe.BitCast<long, T>(condition ? -1L : 0L));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float PowerOfTwo(float n) => BitConverter.Int32BitsToSingle(((int)n + 127) << 23);
}
