using System.Runtime.CompilerServices;

namespace LinearCald;

/// <summary>The upper half of a float32: 1 sign bit, 8 exponent bits, 7 fraction bits. A storage format; arithmetic happens in float32.</summary>
public readonly struct BFloat16 : IEquatable<BFloat16>
{
    /// <summary>The sixteen bits as stored in files and buffers.</summary>
    public ushort Bits { get; }

    /// <param name="bits">The stored bits.</param>
    public BFloat16(ushort bits) => Bits = bits;

    /// <summary>Rounds to nearest, ties to even; NaN stays NaN (quiet), infinities stay.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static explicit operator BFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
        {
            return new BFloat16((ushort)((bits >> 16) | 0x40));
        }

        return new BFloat16((ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16));
    }

    /// <summary>Exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static explicit operator float(BFloat16 value) => BitConverter.UInt32BitsToSingle((uint)value.Bits << 16);

    public bool Equals(BFloat16 other) => Bits == other.Bits;

    public override bool Equals(object? obj) => obj is BFloat16 other && Equals(other);

    public override int GetHashCode() => Bits;

    public override string ToString() => ((float)this).ToString(System.Globalization.CultureInfo.InvariantCulture);

    public static bool operator ==(BFloat16 left, BFloat16 right) => left.Equals(right);

    public static bool operator !=(BFloat16 left, BFloat16 right) => !left.Equals(right);
}
