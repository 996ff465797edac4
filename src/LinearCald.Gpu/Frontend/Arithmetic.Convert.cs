using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend;

internal sealed partial class Arithmetic
{
    /// <summary>A 32-bit integer as a 64-bit one; a 64-bit one as it is.</summary>
    public Scalar Widen(Value value, bool unsigned)
    {
        Scalar x = Number(value, "conversion");
        switch (x)
        {
            case { Kind: RegisterKind.B64 }:
                return x;
            case Known k:
                return Known.Of(unsigned ? (uint)k.Int : k.Int);
            case Linear32 l:
                (int low, int high) = RangeOf(l);
                RegisterFacts facts = Code.Facts(l.Register);
                bool exact = low != int.MinValue || high != int.MaxValue;
                if (l.Offset != 0 && !(exact && (!unsigned || (low >= 0 && facts.Minimum >= 0))))
                {
                    return new Linear64(-1, Register(l), unsigned, 1, 0);
                }

                return new Linear64(-1, l.Register, unsigned && facts.Minimum < 0, 1, l.Offset);
            default:
                throw refuse($"a conversion of a {x.Kind} to a 64-bit integer");
        }
    }

    /// <summary>An index of a view as a 64-bit integer, on the documented assumption that index arithmetic does not overflow: offsets stay apart.</summary>
    public Scalar WidenIndex(Value value, bool unsigned)
    {
        Scalar x = Number(value, "index");
        return x is Linear32 l
            ? new Linear64(-1, l.Register, unsigned && Code.Facts(l.Register).Minimum < 0, 1, l.Offset)
            : Widen(x, unsigned);
    }

    /// <summary>conv.i4, conv.u4.</summary>
    public Scalar ToInt32(Value value, bool unsigned)
    {
        Scalar x = Number(value, "conversion");
        switch (x)
        {
            case { Kind: RegisterKind.B32 }:
                return x;
            case Known { Kind: RegisterKind.B64 } k:
                return Known.Of((int)k.Bits);
            case Known { Kind: RegisterKind.F32 } k:
                return Known.Of(unsigned ? (int)(uint)k.Single : (int)k.Single);
            case Known k:
                return Known.Of(unsigned ? (int)(uint)k.Double : (int)k.Double);
            case Linear64 { Base: < 0 } l:
                return (Scalar)Add(Scale(new Linear32(l.Index), (int)l.Scale), Known.Of((int)l.Offset));
            case Linear64 l:
                return new Linear32(Code.Issue("cvt.u32.u64", RegisterKind.B32, InstructionFlags.Arithmetic, [Use(l)]));
            default:
                return FromFloat(x, RegisterKind.B32, unsigned ? "u32" : "s32");
        }
    }

    /// <summary>conv.i8, conv.u8, conv.i, conv.u.</summary>
    public Scalar ToInt64(Value value, bool unsigned)
    {
        Scalar x = Number(value, "conversion");
        switch (x)
        {
            case { Kind: RegisterKind.B32 or RegisterKind.B64 }:
                return Widen(x, unsigned);
            case Known { Kind: RegisterKind.F32 } k:
                return Known.Of(unsigned ? (long)(ulong)k.Single : (long)k.Single);
            case Known k:
                return Known.Of(unsigned ? (long)(ulong)k.Double : (long)k.Double);
            default:
                return FromFloat(x, RegisterKind.B64, unsigned ? "u64" : "s64");
        }
    }

    /// <summary>conv.i1, conv.u1, conv.i2, conv.u2, and what a store to a small variable does.</summary>
    public Scalar Narrow(Value value, LeafKind kind)
    {
        if (value is Condition c && kind == LeafKind.Bool)
        {
            return c;
        }

        Scalar x = ToInt32(value, false);
        (int low, int high) = kind switch
        {
            LeafKind.Int8 => (sbyte.MinValue, sbyte.MaxValue),
            LeafKind.Int16 => (short.MinValue, short.MaxValue),
            LeafKind.UInt16 => (0, ushort.MaxValue),
            _ => (0, (int)byte.MaxValue),
        };
        if (x is Known k)
        {
            return Known.Of(kind switch
            {
                LeafKind.Int8 => (sbyte)k.Int,
                LeafKind.Int16 => (short)k.Int,
                LeafKind.UInt16 => (ushort)k.Int,
                _ => (byte)k.Int,
            });
        }

        if (RangeOf(x) is var range && range.Low >= low && range.High <= high)
        {
            return x;
        }

        return kind is LeafKind.Int8 or LeafKind.Int16
            ? new Linear32(Code.Issue(kind == LeafKind.Int8 ? "cvt.s32.s8" : "cvt.s32.s16", RegisterKind.B32, InstructionFlags.Arithmetic, [Use(x)], low, high))
            : (Scalar)And(x, Known.Of(high));
    }

    /// <summary>conv.r4; <paramref name="unsigned"/> after conv.r.un.</summary>
    public Scalar ToFloat32(Value value, bool unsigned)
    {
        Scalar x = Number(value, "conversion");
        return x switch
        {
            { Kind: RegisterKind.F32 } => x,
            Known { Kind: RegisterKind.F64 } k => Known.Of((float)k.Double),
            Known { Kind: RegisterKind.B32 } k => Known.Of(unsigned ? (uint)k.Int : (float)k.Int),
            Known k => Known.Of(unsigned ? (ulong)k.Bits : (float)k.Bits),
            _ => new InRegister(RegisterKind.F32, Code.Issue($"cvt.rn.f32.{SourceName(x, unsigned)}", RegisterKind.F32, InstructionFlags.Arithmetic, [Use(x)])),
        };
    }

    /// <summary>conv.r8.</summary>
    public Scalar ToFloat64(Value value, bool unsigned)
    {
        Scalar x = Number(value, "conversion");
        return x switch
        {
            { Kind: RegisterKind.F64 } => x,
            Known { Kind: RegisterKind.F32 } k => Known.Of((double)k.Single),
            Known { Kind: RegisterKind.B32 } k => Known.Of(unsigned ? (uint)k.Int : (double)k.Int),
            Known k => Known.Of(unsigned ? (ulong)k.Bits : (double)k.Bits),
            _ => new InRegister(
                RegisterKind.F64,
                Code.Issue($"cvt.{(x.Kind == RegisterKind.F32 ? "" : "rn.")}f64.{SourceName(x, unsigned)}", RegisterKind.F64, InstructionFlags.Arithmetic, [Use(x)])),
        };
    }

    /// <summary>
    /// Truncates and saturates, as .NET does. NaN becomes 0 there; so it does in PTX from float to 32 bits, but where either side has 64 bits it becomes the
    /// least number (PTX ISA, cvt).
    /// </summary>
    private Scalar FromFloat(Scalar x, RegisterKind kind, string target)
    {
        Scalar integer = OfRegister(kind, Code.Issue($"cvt.rzi.{target}.{FloatName(x)}", kind, InstructionFlags.Arithmetic, [Use(x)]));
        return x.Kind == RegisterKind.F32 && kind == RegisterKind.B32
            ? integer
            : (Scalar)Select((Condition)CompareFloats(Comparison.NotEqual, x, x, true), kind == RegisterKind.B32 ? Known.Of(0) : Known.Of(0L), integer);
    }

    private static string FloatName(Scalar x) => x.Kind == RegisterKind.F32 ? "f32" : "f64";

    private static string SourceName(Scalar x, bool unsigned) => x.Kind switch
    {
        RegisterKind.B32 => unsigned ? "u32" : "s32",
        RegisterKind.B64 => unsigned ? "u64" : "s64",
        RegisterKind.F32 => "f32",
        _ => "f64",
    };
}
