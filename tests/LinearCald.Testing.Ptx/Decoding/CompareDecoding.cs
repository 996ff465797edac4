using LinearCald.Testing.Ptx.Execution;
using LinearCald.Testing.Ptx.Numbers;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Decoding;

/// <summary>setp, selp, slct.</summary>
internal static class CompareDecoding
{
    private static readonly string[] s_operators =
        ["eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"];

    public static Instruction SetPredicate(Decoder d)
    {
        string name = d.ExpectAny(s_operators);
        string? combination = d.TakeAny("and", "or", "xor");
        bool isFlushed = d.Take("ftz");
        PtxType type = d.Type("b16", "b32", "b64", "u16", "u32", "u64", "s16", "s32", "s64", "f32", "f64", "f16", "bf16");
        Func<ulong, ulong, bool> compare = Compare(d, name, type, isFlushed);
        (int p, int q) = d.Pair(PtxType.Predicate, PtxType.Predicate);
        Operand? left = d.Next;
        int a = d.Source(type);
        Operand? right = d.Next;
        int b = d.Source(type);
        if (type.Kind == TypeKind.Unsigned && (IsDecided(name, left, type, false) || IsDecided(name, right, type, true)))
        {
            throw d.Error("is decided by its constant, and drivers have been seen to decide it wrongly");
        }

        if (combination is null)
        {
            return new SetPredicate(p, q, a, b, -1, false, compare, null);
        }

        (int c, bool isNegated) = d.Predicate();
        return new SetPredicate(p, q, a, b, c, isNegated, compare, combination switch
        {
            "and" => static (x, y) => x && y,
            "or" => static (x, y) => x || y,
            _ => static (x, y) => x != y,
        });
    }

    public static Instruction Select(Decoder d)
    {
        PtxType type = d.Type("b16", "b32", "b64", "u16", "u32", "u64", "s16", "s32", "s64", "f32", "f64");
        return new Map3(d.Destination(type), d.Source(type), d.Source(type), d.Source(PtxType.Predicate), static (a, b, p) => p != 0 ? a : b);
    }

    /// <summary>slct: by the sign of the third operand.</summary>
    public static Instruction SelectBySign(Decoder d)
    {
        bool isFlushed = d.Take("ftz");
        PtxType type = d.Type("b16", "b32", "b64", "u16", "u32", "u64", "s16", "s32", "s64", "f32", "f64");
        PtxType by = d.Type("s32", "f32");
        bool isFloat = by == PtxType.F32;
        return new Map3(d.Destination(type), d.Source(type), d.Source(type), d.Source(by), (a, b, c) =>
            (isFloat ? FloatDecoding.Operand(c, isFlushed) >= 0 : (int)c >= 0) ? a : b);
    }

    /// <summary>Whether an unsigned comparison with this operand has the same result for every other operand.</summary>
    private static bool IsDecided(string name, Operand? operand, PtxType type, bool isRight)
    {
        if (operand is not { Kind: OperandKind.Integer })
        {
            return false;
        }

        bool isBelow = name is "lt" or "lo" or "ge" or "hs";
        bool isAbove = name is "gt" or "hi" or "le" or "ls";
        ulong bits = operand.Value & type.Mask;
        return (bits == 0 && (isRight ? isBelow : isAbove)) || (bits == type.Mask && (isRight ? isAbove : isBelow));
    }

    private static Func<ulong, ulong, bool> Compare(Decoder d, string name, PtxType type, bool isFlushed)
    {
        if (type.Kind is TypeKind.Float or TypeKind.BrainFloat)
        {
            Func<double, double, bool> apply = name switch
            {
                "eq" => static (a, b) => a == b,
                "ne" => static (a, b) => a < b || a > b,
                "lt" => static (a, b) => a < b,
                "le" => static (a, b) => a <= b,
                "gt" => static (a, b) => a > b,
                "ge" => static (a, b) => a >= b,
                "equ" => static (a, b) => !(a < b || a > b),
                "neu" => static (a, b) => a != b,
                "ltu" => static (a, b) => !(a >= b),
                "leu" => static (a, b) => !(a > b),
                "gtu" => static (a, b) => !(a <= b),
                "geu" => static (a, b) => !(a < b),
                "num" => static (a, b) => !double.IsNaN(a) && !double.IsNaN(b),
                "nan" => static (a, b) => double.IsNaN(a) || double.IsNaN(b),
                _ => throw d.Error($"there is no comparison .{name} of floats"),
            };
            return type.Bits switch
            {
                64 => (a, b) => apply(Raw.Double(a), Raw.Double(b)),
                32 => (a, b) => apply(FloatDecoding.Operand(a, isFlushed), FloatDecoding.Operand(b, isFlushed)),
                _ => (a, b) => apply(HalfFunctions.Read(type, a), HalfFunctions.Read(type, b)),
            };
        }

        bool isEquality = name is "eq" or "ne";
        bool isUnsignedName = name is "lo" or "ls" or "hi" or "hs";
        if (isFlushed || (type.Kind == TypeKind.Bits && !isEquality) || (isUnsignedName && type.Kind != TypeKind.Unsigned))
        {
            throw d.Error($"there is no comparison .{name} of {type}");
        }

        return IntegerDecoding.Compare(name, type) ?? throw d.Error($"there is no comparison .{name} of {type}");
    }
}
