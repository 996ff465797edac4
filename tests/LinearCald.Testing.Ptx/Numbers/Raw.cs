using System.Runtime.CompilerServices;

namespace LinearCald.Testing.Ptx.Numbers;

/// <summary>Register contents as 64 bits, zero above the register's width, and as numbers.</summary>
internal static class Raw
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T As<T>(ulong raw)
        where T : unmanaged => Unsafe.As<ulong, T>(ref raw);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of<T>(T value)
        where T : unmanaged
    {
        ulong raw = 0;
        Unsafe.As<ulong, T>(ref raw) = value;
        return raw;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Single(ulong raw) => BitConverter.UInt32BitsToSingle((uint)raw);

    /// <summary>A float32 result: every NaN becomes the canonical one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of(float value) => float.IsNaN(value) ? 0x7FFFFFFF : BitConverter.SingleToUInt32Bits(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Double(ulong raw) => BitConverter.UInt64BitsToDouble(raw);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of(double value) => BitConverter.DoubleToUInt64Bits(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of(bool value) => value ? 1UL : 0;

    public static float Half(ulong raw) => (float)BitConverter.UInt16BitsToHalf((ushort)raw);

    public static float Brain(ulong raw) => BitConverter.UInt32BitsToSingle((uint)(ushort)raw << 16);

    /// <summary>Subnormal numbers become zero of the same sign (<c>.ftz</c>).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Flush(float value) => float.IsSubnormal(value) ? MathF.CopySign(0, value) : value;

    /// <summary>Clamps to [0, 1]; NaN becomes +0 (<c>.sat</c>).</summary>
    public static float Saturate(float value) => value > 0 ? MathF.Min(value, 1) : 0;

    /// <summary>Clamps to [0, 1]; NaN becomes +0 (<c>.sat</c>).</summary>
    public static double Saturate(double value) => value > 0 ? Math.Min(value, 1) : 0;
}
