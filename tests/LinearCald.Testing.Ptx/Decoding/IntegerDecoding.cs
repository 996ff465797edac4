using LinearCald.Testing.Ptx.Execution;
using LinearCald.Testing.Ptx.Numbers;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Decoding;

/// <summary>Integer arithmetic, logic, shifts and bit fields.</summary>
internal static class IntegerDecoding
{
    private static readonly string[] s_arithmetic = ["u16", "u32", "u64", "s16", "s32", "s64"];

    public static Func<ulong, ulong, ulong>? Binary(string name, PtxType type) => (type.IsSigned, type.Bits) switch
    {
        (true, 16) => IntegerFunctions<short>.Binary(name),
        (true, 32) => IntegerFunctions<int>.Binary(name),
        (true, 64) => IntegerFunctions<long>.Binary(name),
        (false, 16) => IntegerFunctions<ushort>.Binary(name),
        (false, 32) => IntegerFunctions<uint>.Binary(name),
        (false, 64) => IntegerFunctions<ulong>.Binary(name),
        _ => null,
    };

    public static Func<ulong, ulong>? Unary(string name, PtxType type) => (type.IsSigned, type.Bits) switch
    {
        (true, 16) => IntegerFunctions<short>.Unary(name),
        (true, 32) => IntegerFunctions<int>.Unary(name),
        (true, 64) => IntegerFunctions<long>.Unary(name),
        (false, 16) => IntegerFunctions<ushort>.Unary(name),
        (false, 32) => IntegerFunctions<uint>.Unary(name),
        (false, 64) => IntegerFunctions<ulong>.Unary(name),
        _ => null,
    };

    public static Func<ulong, ulong, ulong, ulong>? Ternary(string name, PtxType type) => (type.IsSigned, type.Bits) switch
    {
        (true, 16) => IntegerFunctions<short>.Ternary(name),
        (true, 32) => IntegerFunctions<int>.Ternary(name),
        (true, 64) => IntegerFunctions<long>.Ternary(name),
        (false, 16) => IntegerFunctions<ushort>.Ternary(name),
        (false, 32) => IntegerFunctions<uint>.Ternary(name),
        (false, 64) => IntegerFunctions<ulong>.Ternary(name),
        _ => null,
    };

    public static Func<ulong, ulong, bool>? Compare(string name, PtxType type) => (type.IsSigned, type.Bits) switch
    {
        (true, 16) => IntegerFunctions<short>.Compare(name),
        (true, 32) => IntegerFunctions<int>.Compare(name),
        (true, 64) => IntegerFunctions<long>.Compare(name),
        (false, 16) => IntegerFunctions<ushort>.Compare(name),
        (false, 32) => IntegerFunctions<uint>.Compare(name),
        (false, 64) => IntegerFunctions<ulong>.Compare(name),
        _ => null,
    };

    /// <summary>add, sub, div, rem, min, max.</summary>
    public static Instruction Arithmetic(Decoder d)
    {
        PtxType type = d.Type(s_arithmetic);
        return new Map2(d.Destination(type), d.Source(type), d.Source(type), Binary(d.Opcode, type)!);
    }

    public static Instruction Multiply(Decoder d)
    {
        string part = d.ExpectAny("lo", "hi", "wide");
        if (part != "wide")
        {
            PtxType type = d.Type(s_arithmetic);
            return new Map2(d.Destination(type), d.Source(type), d.Source(type), Binary("mul." + part, type)!);
        }

        PtxType narrow = d.Type("u16", "u32", "s16", "s32");
        PtxType wide = narrow with { Bits = narrow.Bits * 2 };
        return new Map2(d.Destination(wide), d.Source(narrow), d.Source(narrow), Wide(narrow));
    }

    public static Instruction MultiplyAdd(Decoder d)
    {
        string part = d.ExpectAny("lo", "hi", "wide");
        if (part != "wide")
        {
            PtxType type = d.Type(s_arithmetic);
            return new Map3(d.Destination(type), d.Source(type), d.Source(type), d.Source(type), Ternary("mad." + part, type)!);
        }

        PtxType narrow = d.Type("u16", "u32", "s16", "s32");
        PtxType wide = narrow with { Bits = narrow.Bits * 2 };
        Func<ulong, ulong, ulong> product = Wide(narrow);
        ulong mask = wide.Mask;
        return new Map3(d.Destination(wide), d.Source(narrow), d.Source(narrow), d.Source(wide), (a, b, c) => (product(a, b) + c) & mask);
    }

    /// <summary>sad.</summary>
    public static Instruction Ternary(Decoder d)
    {
        PtxType type = d.Type(s_arithmetic);
        return new Map3(d.Destination(type), d.Source(type), d.Source(type), d.Source(type), Ternary(d.Opcode, type)!);
    }

    /// <summary>neg, abs.</summary>
    public static Instruction Sign(Decoder d)
    {
        PtxType type = d.Type("s16", "s32", "s64");
        return new Map1(d.Destination(type), d.Source(type), Unary(d.Opcode, type)!);
    }

    /// <summary>and, or, xor.</summary>
    public static Instruction Logic(Decoder d)
    {
        PtxType type = d.Type("pred", "b16", "b32", "b64");
        Func<ulong, ulong, ulong> apply = d.Opcode switch
        {
            "and" => static (a, b) => a & b,
            "or" => static (a, b) => a | b,
            _ => static (a, b) => a ^ b,
        };
        return new Map2(d.Destination(type), d.Source(type), d.Source(type), apply);
    }

    public static Instruction Not(Decoder d)
    {
        PtxType type = d.Type("pred", "b16", "b32", "b64");
        ulong mask = type.Mask;
        return new Map1(d.Destination(type), d.Source(type), a => ~a & mask);
    }

    public static Instruction ShiftLeft(Decoder d)
    {
        PtxType type = d.Type("b16", "b32", "b64");
        uint bits = (uint)type.Bits;
        ulong mask = type.Mask;
        return new Map2(d.Destination(type), d.Source(type), d.Source(PtxType.U32), (a, b) => (uint)b < bits ? (a << (int)(uint)b) & mask : 0);
    }

    public static Instruction ShiftRight(Decoder d)
    {
        PtxType type = d.Type("b16", "b32", "b64", "u16", "u32", "u64", "s16", "s32", "s64");
        return new Map2(d.Destination(type), d.Source(type), d.Source(PtxType.U32), Binary("shr", type)!);
    }

    /// <summary>shf: shifts a pair of words and keeps one.</summary>
    public static Instruction Funnel(Decoder d)
    {
        bool isLeft = d.ExpectAny("l", "r") == "l";
        bool isWrapped = d.ExpectAny("clamp", "wrap") == "wrap";
        PtxType type = d.Type("b32");
        return new Map3(d.Destination(type), d.Source(type), d.Source(type), d.Source(PtxType.U32), (low, high, amount) =>
        {
            int count = (int)(isWrapped ? amount & 31 : Math.Min(amount, 32));
            ulong both = low | (high << 32);
            return isLeft ? (uint)((both << count) >> 32) : (uint)(both >> count);
        });
    }

    /// <summary>popc, clz, brev.</summary>
    public static Instruction Count(Decoder d)
    {
        PtxType type = d.Type("b32", "b64");
        int bits = type.Bits;
        Func<ulong, ulong> apply = d.Opcode switch
        {
            "popc" => static a => ulong.PopCount(a),
            "clz" => a => ulong.LeadingZeroCount(a) - (ulong)(64 - bits),
            _ => a => Reversed(a, bits),
        };
        return new Map1(d.Destination(d.Opcode == "brev" ? type : PtxType.U32), d.Source(type), apply);
    }

    public static Instruction FindTop(Decoder d)
    {
        string name = d.Take("shiftamt") ? "bfind.shiftamt" : "bfind";
        PtxType type = d.Type("u32", "u64", "s32", "s64");
        return new Map1(d.Destination(PtxType.U32), d.Source(type), Unary(name, type)!);
    }

    public static Instruction ExtractField(Decoder d)
    {
        PtxType type = d.Type("u32", "u64", "s32", "s64");
        return new Map3(d.Destination(type), d.Source(type), d.Source(PtxType.U32), d.Source(PtxType.U32), Ternary("bfe", type)!);
    }

    public static Instruction InsertField(Decoder d)
    {
        PtxType type = d.Type("b32", "b64");
        int bits = type.Bits;
        return new Map4(d.Destination(type), d.Source(type), d.Source(type), d.Source(PtxType.U32), d.Source(PtxType.U32), (a, b, position, length) =>
        {
            int start = (int)(position & 0xFF);
            int count = (int)(length & 0xFF);
            ulong result = b;
            for (int i = 0; i < count && start + i < bits; i++)
            {
                ulong bit = 1UL << (start + i);
                result = (a >> i & 1) != 0 ? result | bit : result & ~bit;
            }

            return result;
        });
    }

    public static Instruction Permute(Decoder d)
    {
        PtxType type = d.Type("b32");
        return new Map3(d.Destination(type), d.Source(type), d.Source(type), d.Source(type), static (a, b, selector) =>
        {
            ulong both = a | (b << 32);
            ulong result = 0;
            for (int i = 0; i < 4; i++)
            {
                int control = (int)(selector >> (4 * i)) & 0xF;
                ulong value = (both >> (8 * (control & 7))) & 0xFF;
                value = (control & 8) == 0 ? value : (value & 0x80) != 0 ? 0xFFUL : 0;
                result |= value << (8 * i);
            }

            return result;
        });
    }

    public static Instruction LookUp3(Decoder d)
    {
        PtxType type = d.Type("b32");
        int to = d.Destination(type);
        int a = d.Source(type);
        int b = d.Source(type);
        int c = d.Source(type);
        int table = d.Literal(0, 255);
        return new Map3(to, a, b, c, (x, y, z) =>
        {
            ulong result = 0;
            for (int i = 0; i < 8; i++)
            {
                if ((table >> i & 1) != 0)
                {
                    result |= ((i & 4) != 0 ? x : ~x) & ((i & 2) != 0 ? y : ~y) & ((i & 1) != 0 ? z : ~z);
                }
            }

            return (uint)result;
        });
    }

    private static ulong Reversed(ulong value, int bits)
    {
        ulong result = 0;
        for (int i = 0; i < bits; i++)
        {
            result |= ((value >> i) & 1) << (bits - 1 - i);
        }

        return result;
    }

    private static Func<ulong, ulong, ulong> Wide(PtxType narrow) => (narrow.IsSigned, narrow.Bits) switch
    {
        (true, 16) => static (a, b) => (uint)((short)a * (short)b),
        (true, _) => static (a, b) => (ulong)((long)(int)a * (int)b),
        (false, 16) => static (a, b) => (uint)((ushort)a * (ushort)b),
        _ => static (a, b) => (ulong)(uint)a * (uint)b,
    };
}
