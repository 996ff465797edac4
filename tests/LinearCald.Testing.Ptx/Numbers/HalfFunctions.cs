using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Numbers;

/// <summary>Functions of 16-bit floats and of pairs of them: computed in double, rounded once.</summary>
internal static class HalfFunctions
{
    public static FloatFormat Format(PtxType type) => type.Kind == TypeKind.BrainFloat ? FloatFormat.Brain : FloatFormat.Half;

    public static double Read(PtxType type, ulong raw) => type.Kind == TypeKind.BrainFloat ? Raw.Brain(raw) : Raw.Half(raw);

    public static Func<ulong, ulong> Unary(PtxType type, Func<double, double> apply, bool isFlushed, bool isSaturated)
    {
        ulong One(ulong a) => Write(type, apply(Operand(type, a, isFlushed)), isFlushed, isSaturated);
        return type.Lanes == 1 ? One : a => One(a & 0xFFFF) | (One(a >> 16) << 16);
    }

    public static Func<ulong, ulong, ulong> Binary(PtxType type, Func<double, double, double> apply, bool isFlushed, bool isSaturated)
    {
        ulong One(ulong a, ulong b) => Write(type, apply(Operand(type, a, isFlushed), Operand(type, b, isFlushed)), isFlushed, isSaturated);
        return type.Lanes == 1 ? One : (a, b) => One(a & 0xFFFF, b & 0xFFFF) | (One(a >> 16, b >> 16) << 16);
    }

    public static Func<ulong, ulong, ulong, ulong> Ternary(PtxType type, Func<double, double, double, double> apply, bool isFlushed, bool isSaturated)
    {
        ulong One(ulong a, ulong b, ulong c) =>
            Write(type, apply(Operand(type, a, isFlushed), Operand(type, b, isFlushed), Operand(type, c, isFlushed)), isFlushed, isSaturated);
        return type.Lanes == 1 ? One : (a, b, c) => One(a & 0xFFFF, b & 0xFFFF, c & 0xFFFF) | (One(a >> 16, b >> 16, c >> 16) << 16);
    }

    /// <summary>
    /// A sum in double whose last bit says whether anything was lost, so that rounding it again to few bits is as if the exact sum were rounded
    /// (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums").
    /// </summary>
    public static double SumToOdd(double a, double b)
    {
        double sum = a + b;
        if (!double.IsFinite(sum))
        {
            return sum;
        }

        double part = sum - a;
        double error = (a - (sum - part)) + (b - part);
        if (error == 0 || (BitConverter.DoubleToUInt64Bits(sum) & 1) == 1)
        {
            return sum;
        }

        return error > 0 ? Math.BitIncrement(sum) : Math.BitDecrement(sum);
    }

    private static double Operand(PtxType type, ulong raw, bool isFlushed)
    {
        double value = Read(type, (ushort)raw);
        return isFlushed && Math.Abs(value) < Math.ScaleB(1, Format(type).MinimumExponent) ? Math.CopySign(0, value) : value;
    }

    private static ulong Write(PtxType type, double value, bool isFlushed, bool isSaturated)
    {
        FloatFormat format = Format(type);
        value = isSaturated ? Raw.Saturate(value) : value;
        ulong raw = format.Round(value, Rounding.NearestEven);
        double rounded = Read(type, raw);
        return isFlushed && Math.Abs(rounded) < Math.ScaleB(1, format.MinimumExponent) ? raw & 0x8000 : raw;
    }
}
