using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>Scalar arithmetic on a <c>T</c> that is float or double, without asking callers for a numeric constraint; the type tests fold away.</summary>
internal static class GemmScalar
{
    /// <exception cref="ArgumentException">T is neither float nor double.</exception>
    public static void CheckType<T>()
        where T : unmanaged
    {
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double))
        {
            throw new ArgumentException($"A matrix product on the CPU takes float or double elements, not {typeof(T).Name}; convert the operands first.");
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T From<T>(double value)
        where T : unmanaged => typeof(T) == typeof(float) ? Unsafe.BitCast<float, T>((float)value) : Unsafe.BitCast<double, T>(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double ToDouble<T>(T value)
        where T : unmanaged => typeof(T) == typeof(float) ? Unsafe.BitCast<T, float>(value) : Unsafe.BitCast<T, double>(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Add<T>(T a, T b)
        where T : unmanaged => typeof(T) == typeof(float)
        ? Unsafe.BitCast<float, T>(Unsafe.BitCast<T, float>(a) + Unsafe.BitCast<T, float>(b))
        : Unsafe.BitCast<double, T>(Unsafe.BitCast<T, double>(a) + Unsafe.BitCast<T, double>(b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Multiply<T>(T a, T b)
        where T : unmanaged => typeof(T) == typeof(float)
        ? Unsafe.BitCast<float, T>(Unsafe.BitCast<T, float>(a) * Unsafe.BitCast<T, float>(b))
        : Unsafe.BitCast<double, T>(Unsafe.BitCast<T, double>(a) * Unsafe.BitCast<T, double>(b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsZero<T>(T a)
        where T : unmanaged => typeof(T) == typeof(float) ? Unsafe.BitCast<T, float>(a) == 0f : Unsafe.BitCast<T, double>(a) == 0d;
}
