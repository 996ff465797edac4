namespace LinearCald.Testing.Ptx.Numbers;

internal enum Rounding
{
    NearestEven,
    NearestAway,
    Zero,
    Down,
    Up,
}

/// <summary>A binary floating-point format, and rounding of exact values to it in any direction.</summary>
/// <param name="Precision">Significant bits, the hidden one among them.</param>
/// <param name="MinimumExponent">Of the smallest normal number.</param>
/// <param name="Bits">Of the whole number.</param>
/// <param name="Shift">Unused low bits (tf32 lies in the upper bits of a float32).</param>
internal sealed record FloatFormat(int Precision, int MinimumExponent, int Bits, int Shift = 0)
{
    public static readonly FloatFormat Half = new(11, -14, 16);
    public static readonly FloatFormat Brain = new(8, -126, 16);
    public static readonly FloatFormat Tensor = new(11, -126, 19, 13);
    public static readonly FloatFormat Single = new(24, -126, 32);
    public static readonly FloatFormat Double = new(53, -1022, 64);

    private ulong Sign => 1UL << (Bits - 1);

    private ulong Infinity => (Sign - 1) & ~((1UL << (Precision - 1)) - 1);

    /// <summary>What every NaN result becomes.</summary>
    public ulong NaN => this == Double ? 0x7FFFFFFFFFFFFFFF : (Sign - 1) << Shift;

    /// <summary>Rounds a double.</summary>
    public ulong Round(double value, Rounding mode)
    {
        if (double.IsNaN(value))
        {
            return NaN;
        }

        bool isNegative = double.IsNegative(value);
        if (double.IsInfinity(value))
        {
            return (Infinity | (isNegative ? Sign : 0)) << Shift;
        }

        ulong bits = BitConverter.DoubleToUInt64Bits(value);
        int field = (int)((bits >> 52) & 0x7FF);
        ulong fraction = bits & ((1UL << 52) - 1);
        return field == 0
            ? Round(isNegative, fraction, -1074, mode)
            : Round(isNegative, fraction | (1UL << 52), field - 1075, mode);
    }

    /// <summary>Rounds ± significand · 2^exponent.</summary>
    public ulong Round(bool isNegative, UInt128 significand, int exponent, Rounding mode)
    {
        ulong sign = isNegative ? Sign : 0;
        if (significand == UInt128.Zero)
        {
            return sign << Shift;
        }

        int length = 128 - (int)UInt128.LeadingZeroCount(significand);
        int top = exponent + length - 1;
        int quantum = Math.Max(top, MinimumExponent) - (Precision - 1);
        int drop = quantum - exponent;
        ulong kept;
        bool isUp = false;
        if (drop <= 0)
        {
            kept = (ulong)(significand << -drop);
        }
        else
        {
            kept = drop >= 128 ? 0 : (ulong)(significand >> drop);
            UInt128 rest = drop >= 128 ? significand : significand & ((UInt128.One << drop) - 1);
            UInt128 half = drop > 128 ? UInt128.MaxValue : UInt128.One << (drop - 1);
            isUp = mode switch
            {
                Rounding.NearestEven => rest > half || (rest == half && (kept & 1) == 1),
                Rounding.NearestAway => rest >= half,
                Rounding.Down => isNegative && rest != UInt128.Zero,
                Rounding.Up => !isNegative && rest != UInt128.Zero,
                _ => false,
            };
        }

        kept += isUp ? 1UL : 0;

        // A carry out of the fraction moves into the exponent field by itself.
        long field = (long)quantum + Precision - 1 - MinimumExponent;
        if (field > (long)(Infinity >> (Precision - 1)))
        {
            return Overflow(isNegative, mode) << Shift;
        }

        ulong result = top < MinimumExponent ? kept : ((ulong)field << (Precision - 1)) + kept;
        return (result >= Infinity ? Overflow(isNegative, mode) : result | sign) << Shift;
    }

    private ulong Overflow(bool isNegative, Rounding mode)
    {
        bool isFinite = mode == Rounding.Zero || (mode == Rounding.Down && !isNegative) || (mode == Rounding.Up && isNegative);
        return (isFinite ? Infinity - 1 : Infinity) | (isNegative ? Sign : 0);
    }
}
