using LinearCald.Testing.Ptx.Execution;
using LinearCald.Testing.Ptx.Numbers;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Decoding;

/// <summary>cvt between integers and floats of all widths.</summary>
internal static class ConvertDecoding
{
    private static readonly string[] s_types =
        ["u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "f16", "bf16", "f32", "f64", "f16x2", "bf16x2", "tf32"];

    public static Instruction Decode(Decoder d)
    {
        string? rounding = d.TakeAny("rni", "rzi", "rmi", "rpi", "rn", "rz", "rm", "rp", "rna");
        bool isClamped = d.Take("relu");
        bool isFlushed = d.Take("ftz");
        bool isSaturated = d.Take("sat");
        PtxType to = d.Type(s_types);
        PtxType from = d.Type(s_types);
        if (to.Lanes == 2)
        {
            return Pair(d, to, from, rounding, isClamped);
        }

        if (from.Lanes == 2 || from.Kind == TypeKind.TensorFloat || (isClamped && to.Kind is not (TypeKind.BrainFloat or TypeKind.TensorFloat) && to.Bits != 16))
        {
            throw d.Error($"there is no such conversion from {from} to {to}");
        }

        int destination = d.Destination(to.Kind is TypeKind.TensorFloat ? PtxType.B32 : to, true);
        ulong mask = d.LastRegister.Mask;
        int source = d.Source(from, true);
        bool isFromFloat = from.Kind is TypeKind.Float or TypeKind.BrainFloat;
        bool isToFloat = to.Kind is TypeKind.Float or TypeKind.BrainFloat or TypeKind.TensorFloat;
        Func<ulong, ulong> apply = (isFromFloat, isToFloat) switch
        {
            (false, false) => IntegerToInteger(d, to, from, rounding, isSaturated),
            (false, true) => IntegerToFloat(d, to, from, rounding, isSaturated),
            (true, false) => FloatToInteger(d, to, from, rounding, isFlushed),
            _ => FloatToFloat(d, to, from, rounding, isFlushed, isSaturated, isClamped),
        };
        if (from.Kind == TypeKind.BrainFloat && to.Kind != TypeKind.BrainFloat)
        {
            d.Needs(90, 78);
        }

        return mask == ulong.MaxValue ? new Map1(destination, source, apply) : new Map1(destination, source, a => apply(a) & mask);
    }

    /// <summary>The value of an integer register as a wide number.</summary>
    private static Int128 Integer(ulong raw, PtxType type) => (type.IsSigned, type.Bits) switch
    {
        (true, 8) => (sbyte)raw,
        (true, 16) => (short)raw,
        (true, 32) => (int)raw,
        (true, _) => (long)raw,
        (false, 8) => (byte)raw,
        (false, 16) => (ushort)raw,
        (false, 32) => (uint)raw,
        _ => raw,
    };

    private static Int128 Minimum(PtxType type) => type.IsSigned ? -(Int128.One << (type.Bits - 1)) : 0;

    private static Int128 Maximum(PtxType type) => (Int128.One << (type.IsSigned ? type.Bits - 1 : type.Bits)) - 1;

    private static Func<ulong, ulong> IntegerToInteger(Decoder d, PtxType to, PtxType from, string? rounding, bool isSaturated)
    {
        if (rounding is not null)
        {
            throw d.Error("conversions between integers do not round");
        }

        if (isSaturated)
        {
            Int128 minimum = Minimum(to);
            Int128 maximum = Maximum(to);
            return a => (ulong)(long)unchecked((ulong)Int128.Clamp(Integer(a, from), minimum, maximum));
        }

        return a => (ulong)unchecked((ulong)Integer(unchecked((ulong)Integer(a, from)), to));
    }

    private static Func<ulong, ulong> IntegerToFloat(Decoder d, PtxType to, PtxType from, string? rounding, bool isSaturated)
    {
        Rounding mode = Mode(d, rounding);
        FloatFormat format = Format(to);
        return a =>
        {
            Int128 value = Integer(a, from);
            if (isSaturated)
            {
                value = Int128.Clamp(value, 0, 1);
            }

            return format.Round(value < 0, (UInt128)Int128.Abs(value), 0, mode);
        };
    }

    private static Func<ulong, ulong> FloatToInteger(Decoder d, PtxType to, PtxType from, string? rounding, bool isFlushed)
    {
        Func<double, double> round = IntegerRounding(rounding) ?? throw d.Error("a conversion to an integer says how it rounds: .rzi .rni .rmi .rpi");
        double minimum = (double)Minimum(to);
        double limit = Math.ScaleB(1, to.IsSigned ? to.Bits - 1 : to.Bits);
        ulong largest = (ulong)Maximum(to);
        ulong smallest = unchecked((ulong)Minimum(to));

        // PTX ISA "cvt": NaN becomes 0, but for .f64 sources and 64-bit results the upper bit alone.
        ulong notANumber = from.Bits == 64 || to.Bits == 64 ? unchecked((ulong)(Int128.One << (to.Bits - 1))) : 0;
        if (to.IsSigned && to.Bits < 64 && notANumber != 0)
        {
            notANumber = smallest;
        }

        return a =>
        {
            double value = Read(from, a, isFlushed);
            if (double.IsNaN(value))
            {
                return notANumber;
            }

            value = round(value);
            return value < minimum ? smallest : value >= limit ? largest : to.IsSigned ? (ulong)(long)value : (ulong)value;
        };
    }

    private static Func<ulong, ulong> FloatToFloat(Decoder d, PtxType to, PtxType from, string? rounding, bool isFlushed, bool isSaturated, bool isClamped)
    {
        FloatFormat format = Format(to);
        FloatFormat source = Format(from);
        Func<double, double>? round = IntegerRounding(rounding);
        bool isNarrowing = format.Precision < source.Precision || format.MinimumExponent > source.MinimumExponent;
        if (round is not null ? to != from : isNarrowing != (rounding is not null))
        {
            throw d.Error(isNarrowing ? "a conversion that loses digits says how it rounds" : "a conversion that loses nothing does not round");
        }

        Rounding mode = isNarrowing ? Mode(d, rounding) : Rounding.NearestEven;
        bool isFlushedResult = isFlushed && to == PtxType.F32;
        return a =>
        {
            double value = Read(from, a, isFlushed);
            value = round is null ? value : round(value);
            value = isSaturated ? Raw.Saturate(value) : value;
            value = isClamped && value < 0 ? 0 : value;
            if (to.Kind == TypeKind.TensorFloat && double.IsNaN(value))
            {
                return 0x7FFFFFFF;
            }

            ulong result = format.Round(value, mode);
            return isFlushedResult ? BitConverter.SingleToUInt32Bits(Raw.Flush(Raw.Single(result))) : result;
        };
    }

    private static Instruction Pair(Decoder d, PtxType to, PtxType from, string? rounding, bool isClamped)
    {
        if (from != PtxType.F32 || rounding is not ("rn" or "rz"))
        {
            throw d.Error("pairs are converted from two .f32 by .rn or .rz");
        }

        d.Needs(80, 70);
        FloatFormat format = Format(to with { Bits = 16, Lanes = 1 });
        Rounding mode = Mode(d, rounding);
        ulong One(ulong a)
        {
            double value = Raw.Single(a);
            return format.Round(isClamped && value < 0 ? 0 : value, mode);
        }

        // The first source becomes the upper half.
        return new Map2(d.Destination(to), d.Source(from), d.Source(from), (high, low) => One(low) | (One(high) << 16));
    }

    private static double Read(PtxType type, ulong raw, bool isFlushed) => type.Kind == TypeKind.BrainFloat ? Raw.Brain(raw) : type.Bits switch
    {
        16 => Raw.Half(raw),
        32 => FloatDecoding.Operand(raw, isFlushed),
        _ => Raw.Double(raw),
    };

    private static FloatFormat Format(PtxType type) => type.Kind switch
    {
        TypeKind.BrainFloat => FloatFormat.Brain,
        TypeKind.TensorFloat => FloatFormat.Tensor,
        _ => type.Bits switch
        {
            16 => FloatFormat.Half,
            32 => FloatFormat.Single,
            _ => FloatFormat.Double,
        },
    };

    private static Rounding Mode(Decoder d, string? rounding) => rounding switch
    {
        "rn" => Rounding.NearestEven,
        "rna" => Rounding.NearestAway,
        "rz" => Rounding.Zero,
        "rm" => Rounding.Down,
        "rp" => Rounding.Up,
        _ => throw d.Error("a conversion to a float says how it rounds: .rn .rz .rm .rp"),
    };

    private static Func<double, double>? IntegerRounding(string? rounding) => rounding switch
    {
        "rni" => static x => Math.Round(x, MidpointRounding.ToEven),
        "rzi" => static x => Math.Truncate(x),
        "rmi" => static x => Math.Floor(x),
        "rpi" => static x => Math.Ceiling(x),
        _ => null,
    };
}
