using LinearCald.Testing.Ptx.Execution;
using LinearCald.Testing.Ptx.Numbers;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Decoding;

/// <summary>Arithmetic of float32 and float64, rounded to nearest, and of packed and single 16-bit floats.</summary>
internal static class FloatDecoding
{
    /// <summary>add, sub, mul.</summary>
    public static Instruction Arithmetic(Decoder d)
    {
        Round(d, false);
        bool isFlushed = d.Take("ftz");
        bool isSaturated = d.Take("sat");
        PtxType type = d.Type("f32", "f64", "f16", "f16x2", "bf16", "bf16x2");
        if (type.Bits == 64)
        {
            Refuse(d, isFlushed || isSaturated);
            return new Map2(d.Destination(type), d.Source(type), d.Source(type), d.Opcode switch
            {
                "add" => static (a, b) => Raw.Of(Raw.Double(a) + Raw.Double(b)),
                "sub" => static (a, b) => Raw.Of(Raw.Double(a) - Raw.Double(b)),
                _ => static (a, b) => Raw.Of(Raw.Double(a) * Raw.Double(b)),
            });
        }

        if (type != PtxType.F32)
        {
            Func<double, double, double> apply = d.Opcode switch
            {
                "add" => static (a, b) => HalfFunctions.SumToOdd(a, b),
                "sub" => static (a, b) => HalfFunctions.SumToOdd(a, -b),
                _ => static (a, b) => a * b,
            };
            if (type.Kind == TypeKind.BrainFloat)
            {
                d.Needs(90, 78);
            }

            return new Map2(d.Destination(type), d.Source(type), d.Source(type), HalfFunctions.Binary(type, apply, isFlushed, isSaturated));
        }

        Func<ulong, ulong, ulong> single = d.Opcode switch
        {
            "add" => static (a, b) => Raw.Of(Raw.Single(a) + Raw.Single(b)),
            "sub" => static (a, b) => Raw.Of(Raw.Single(a) - Raw.Single(b)),
            _ => static (a, b) => Raw.Of(Raw.Single(a) * Raw.Single(b)),
        };
        return new Map2(d.Destination(type), d.Source(type), d.Source(type), Modified(single, isFlushed, isSaturated));
    }

    /// <summary>fma, and mad on floats.</summary>
    public static Instruction MultiplyAdd(Decoder d)
    {
        Round(d, true);
        bool isFlushed = d.Take("ftz");
        bool isSaturated = d.Take("sat");
        bool isClamped = d.Take("relu");
        PtxType type = d.Type("f32", "f64", "f16", "f16x2", "bf16", "bf16x2");
        Func<ulong, ulong, ulong, ulong> apply;
        if (type.Bits == 64)
        {
            Refuse(d, isFlushed || isSaturated || isClamped);
            apply = static (a, b, c) => Raw.Of(Math.FusedMultiplyAdd(Raw.Double(a), Raw.Double(b), Raw.Double(c)));
        }
        else if (type == PtxType.F32)
        {
            Refuse(d, isClamped);
            apply = static (a, b, c) => Raw.Of(MathF.FusedMultiplyAdd(Raw.Single(a), Raw.Single(b), Raw.Single(c)));
            if (isFlushed || isSaturated)
            {
                apply = (a, b, c) =>
                {
                    float result = MathF.FusedMultiplyAdd(Operand(a, isFlushed), Operand(b, isFlushed), Operand(c, isFlushed));
                    return Result(result, isFlushed, isSaturated);
                };
            }
        }
        else
        {
            apply = HalfFunctions.Ternary(type, (a, b, c) =>
            {
                double result = HalfFunctions.SumToOdd(a * b, c);
                return isClamped && result < 0 ? 0 : result;
            }, isFlushed, isSaturated);
        }

        return new Map3(d.Destination(type), d.Source(type), d.Source(type), d.Source(type), apply);
    }

    public static Instruction Divide(Decoder d)
    {
        string? kind = d.TakeAny("rn", "approx", "full");
        bool isFlushed = d.Take("ftz");
        PtxType type = d.Type("f32", "f64");
        if (kind is null || (type.Bits == 64 && (kind != "rn" || isFlushed)))
        {
            throw d.Error("a float division says .rn, .full or .approx, .rn only for .f64");
        }

        int to = d.Destination(type);
        int a = d.Source(type);
        int b = d.Source(type);
        if (type.Bits == 64)
        {
            return new Map2(to, a, b, static (x, y) => Raw.Of(Raw.Double(x) / Raw.Double(y)));
        }

        Func<ulong, ulong, ulong> divide = (x, y) => Result(Operand(x, isFlushed) / Operand(y, isFlushed), isFlushed, false);
        if (kind == "rn")
        {
            return new Map2(to, a, b, divide);
        }

        Func<ulong, ulong, ulong> approximate = kind == "full" ? divide : (x, y) =>
        {
            float divisor = MathF.Abs(Raw.Single(y));
            bool isHuge = divisor > MathF.ScaleB(1, 126) && float.IsFinite(divisor);
            float dividend = Raw.Single(x);
            return !isHuge || float.IsNaN(dividend) ? divide(x, y)
                : float.IsInfinity(dividend) ? 0x7FFFFFFF
                : (x ^ y) & 0x80000000;
        };
        return new Approximation(to, a, b, approximate, ApproximateDecoding.MoveSingle);
    }

    /// <summary>min, max.</summary>
    public static Instruction Choose(Decoder d)
    {
        bool isFlushed = d.Take("ftz");
        bool isNaN = d.Take("NaN");
        PtxType type = d.Type("f32", "f64", "f16", "f16x2", "bf16", "bf16x2");
        bool isMaximum = d.Opcode == "max";
        double Pick(double a, double b)
        {
            if (double.IsNaN(a) || double.IsNaN(b))
            {
                return isNaN ? double.NaN : double.IsNaN(a) ? b : a;
            }

            return isMaximum ? Math.Max(a, b) : Math.Min(a, b);
        }

        Func<ulong, ulong, ulong> apply = type.Bits == 64 ? (a, b) => Raw.Of(Pick(Raw.Double(a), Raw.Double(b)))
            : type == PtxType.F32 ? (a, b) => Raw.Of((float)Pick(Operand(a, isFlushed), Operand(b, isFlushed)))
            : HalfFunctions.Binary(type, Pick, isFlushed, false);
        Refuse(d, type.Bits == 64 && (isFlushed || isNaN));
        return new Map2(d.Destination(type), d.Source(type), d.Source(type), apply);
    }

    /// <summary>neg, abs: only the sign bit changes.</summary>
    public static Instruction Sign(Decoder d)
    {
        bool isFlushed = d.Take("ftz");
        PtxType type = d.Type("f32", "f64", "f16", "f16x2", "bf16", "bf16x2");
        ulong sign = type.Lanes == 2 ? 0x80008000 : 1UL << (type.Bits - 1);
        bool isAbsolute = d.Opcode == "abs";
        Refuse(d, isFlushed && type != PtxType.F32);
        return new Map1(d.Destination(type), d.Source(type), a =>
        {
            ulong value = isFlushed ? BitConverter.SingleToUInt32Bits(Raw.Flush(Raw.Single(a))) : a;
            return isAbsolute ? value & ~sign : value ^ sign;
        });
    }

    public static Instruction CopySign(Decoder d)
    {
        PtxType type = d.Type("f32", "f64");
        ulong sign = 1UL << (type.Bits - 1);
        return new Map2(d.Destination(type), d.Source(type), d.Source(type), (a, b) => (b & ~sign) | (a & sign));
    }

    /// <summary>testp.</summary>
    public static Instruction Test(Decoder d)
    {
        string name = d.ExpectAny("finite", "infinite", "number", "notanumber", "normal", "subnormal");
        PtxType type = d.Type("f32", "f64");
        bool isSingle = type.Bits == 32;
        return new Map1(d.Destination(PtxType.Predicate), d.Source(type), a =>
        {
            float x = Raw.Single(a);
            double y = Raw.Double(a);
            return Raw.Of(name switch
            {
                "finite" => isSingle ? float.IsFinite(x) : double.IsFinite(y),
                "infinite" => isSingle ? float.IsInfinity(x) : double.IsInfinity(y),
                "number" => isSingle ? !float.IsNaN(x) : !double.IsNaN(y),
                "notanumber" => isSingle ? float.IsNaN(x) : double.IsNaN(y),
                "normal" => isSingle ? float.IsNormal(x) : double.IsNormal(y),
                _ => isSingle ? float.IsSubnormal(x) : double.IsSubnormal(y),
            });
        });
    }

    public static float Operand(ulong raw, bool isFlushed) => isFlushed ? Raw.Flush(Raw.Single(raw)) : Raw.Single(raw);

    public static ulong Result(float value, bool isFlushed, bool isSaturated)
    {
        value = isFlushed ? Raw.Flush(value) : value;
        return Raw.Of(isSaturated ? Raw.Saturate(value) : value);
    }

    private static Func<ulong, ulong, ulong> Modified(Func<ulong, ulong, ulong> apply, bool isFlushed, bool isSaturated)
    {
        if (!isFlushed && !isSaturated)
        {
            return apply;
        }

        return (a, b) => Result(
            Raw.Single(apply(BitConverter.SingleToUInt32Bits(Operand(a, isFlushed)), BitConverter.SingleToUInt32Bits(Operand(b, isFlushed)))), isFlushed, isSaturated);
    }

    private static void Round(Decoder d, bool isRequired)
    {
        if (d.TakeAny("rz", "rm", "rp") is not null)
        {
            throw d.Error("only .rn is emulated in arithmetic");
        }

        if (!d.Take("rn") && isRequired)
        {
            throw d.Error("a fused product says how it rounds: .rn");
        }
    }

    private static void Refuse(Decoder d, bool condition)
    {
        if (condition)
        {
            throw d.Error("has a modifier that its type does not allow");
        }
    }
}
