using System.Numerics;
using LinearCald.Testing.Ptx.Execution;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Decoding;

/// <summary>Instructions that the lanes of a warp, or the threads of a group, do together.</summary>
internal static class WarpDecoding
{
    public static Instruction Shuffle(Decoder d)
    {
        d.Expect("sync");
        ShuffleMode mode = d.ExpectAny("up", "down", "bfly", "idx") switch
        {
            "up" => ShuffleMode.Up,
            "down" => ShuffleMode.Down,
            "bfly" => ShuffleMode.Butterfly,
            _ => ShuffleMode.Index,
        };
        PtxType type = d.Type("b32");
        (int to, int isInside) = d.Pair(type, PtxType.Predicate);
        return new Shuffle(mode, to, isInside, d.Source(type), d.Source(type), d.Source(type)) { MemberMask = d.Source(type) };
    }

    public static Instruction Vote(Decoder d)
    {
        d.Expect("sync");
        string mode = d.ExpectAny("all", "any", "uni", "ballot");
        PtxType type = d.Type(mode == "ballot" ? "b32" : "pred");
        int to = d.Destination(type);
        (int from, bool isNegated) = d.Predicate();
        Func<ulong[], uint, ulong> combine = mode switch
        {
            "ballot" => Holding,
            "all" => static (values, lanes) => Holding(values, lanes) == lanes ? 1UL : 0,
            "any" => static (values, lanes) => Holding(values, lanes) != 0 ? 1UL : 0,
            _ => static (values, lanes) => Holding(values, lanes) == lanes || Holding(values, lanes) == 0 ? 1UL : 0,
        };
        return new WarpReduction(to, from, isNegated, combine) { MemberMask = d.Source(PtxType.B32) };
    }

    public static Instruction Match(Decoder d)
    {
        bool isAny = d.ExpectAny("any", "all") == "any";
        d.Expect("sync");
        PtxType type = d.Type("b32", "b64");
        (int to, int all) = d.Pair(PtxType.B32, PtxType.Predicate);
        if (isAny && all >= 0)
        {
            throw d.Error("match.any has no predicate");
        }

        return new Match(to, all, d.Source(type), isAny) { MemberMask = d.Source(PtxType.B32) };
    }

    public static Instruction Reduce(Decoder d)
    {
        d.Expect("sync");
        d.Needs(80, 70);
        string name = d.ExpectAny("add", "min", "max", "and", "or", "xor");
        PtxType type = name is "and" or "or" or "xor" ? d.Type("b32") : d.Type("u32", "s32");
        bool isSigned = type.IsSigned;
        Func<ulong, ulong, ulong> step = name switch
        {
            "add" => static (a, b) => (uint)(a + b),
            "and" => static (a, b) => a & b,
            "or" => static (a, b) => a | b,
            "xor" => static (a, b) => a ^ b,
            "min" => (a, b) => isSigned ? (uint)Math.Min((int)a, (int)b) : Math.Min(a, b),
            _ => (a, b) => isSigned ? (uint)Math.Max((int)a, (int)b) : Math.Max(a, b),
        };
        return new WarpReduction(d.Destination(type), d.Source(type), false, (values, lanes) =>
        {
            int first = BitOperations.TrailingZeroCount(lanes);
            ulong result = values[first];
            for (uint rest = lanes & (lanes - 1); rest != 0; rest &= rest - 1)
            {
                result = step(result, values[BitOperations.TrailingZeroCount(rest)]);
            }

            return result;
        })
        { MemberMask = d.Source(PtxType.B32) };
    }

    public static Instruction Elect(Decoder d)
    {
        d.Expect("sync");
        d.Needs(90, 80);
        (int leader, int isLeader) = d.Pair(PtxType.B32, PtxType.Predicate);
        return new Elect(leader, isLeader) { MemberMask = d.Source(PtxType.B32) };
    }

    /// <summary>bar, barrier.</summary>
    public static Instruction Barrier(Decoder d)
    {
        bool isAligned = d.Opcode == "bar";
        if (isAligned && d.Take("warp"))
        {
            d.Expect("sync");
            return new WarpBarrier { MemberMask = d.Source(PtxType.B32) };
        }

        d.Take("cta");
        string action = d.ExpectAny("sync", "arrive", "red");
        string? reduction = action == "red" ? d.ExpectAny("popc", "and", "or") : null;
        isAligned |= d.Take("aligned");
        int to = -1;
        if (reduction is not null)
        {
            to = d.Destination(d.Type(reduction == "popc" ? "u32" : "pred"));
        }

        int id = d.Source(PtxType.U32);
        bool hasCount = reduction is null ? d.OperandsLeft > 0 : d.OperandsLeft > 1;
        int count = hasCount ? d.Source(PtxType.U32) : -1;
        if (action == "arrive" && count < 0)
        {
            throw d.Error("an arrival needs a thread count");
        }

        (int condition, bool isNegated) = reduction is null ? (-1, false) : d.Predicate();
        return new BarrierInstruction
        {
            Id = id,
            Count = count,
            IsAligned = isAligned,
            Waits = action != "arrive",
            Destination = to,
            Condition = condition,
            IsConditionNegated = isNegated,
            Reduction = reduction switch
            {
                "popc" => BarrierReduction.Count,
                "and" => BarrierReduction.And,
                "or" => BarrierReduction.Or,
                _ => BarrierReduction.None,
            },
        };
    }

    /// <summary>ldmatrix, stmatrix.</summary>
    public static Instruction MatrixAccess(Decoder d)
    {
        bool isStore = d.Opcode == "stmatrix";
        d.Expect("sync", "aligned", "m8n8");
        d.Needs(isStore ? 90 : 75, isStore ? 78 : 65);
        int count = d.ExpectAny("x1", "x2", "x4")[1] - '0';
        bool isTransposed = d.Take("trans");
        d.ExpectAny("shared", "shared::cta");
        PtxType type = PtxType.B32;
        d.Type("b16");
        if (isStore)
        {
            AddressOperand to = d.Address(StateSpace.Shared);
            return new MatrixAccess(to, d.Sources(type, count), isTransposed, true);
        }

        int[] words = d.Destinations(type, count);
        if (words.Contains(-1))
        {
            throw d.Error("a sink cannot stand here");
        }

        return new MatrixAccess(d.Address(StateSpace.Shared), words, isTransposed, false);
    }

    public static Instruction MatrixTranspose(Decoder d)
    {
        d.Expect("sync", "aligned", "m8n8", "trans", "b16");
        return new MatrixTranspose(d.Destination(PtxType.B32), d.Source(PtxType.B32));
    }

    public static Instruction MatrixProduct(Decoder d)
    {
        d.Expect("sync", "aligned");
        bool isTensor = d.ExpectAny("m16n8k16", "m16n8k8") == "m16n8k8";
        d.Expect("row", "col");
        d.Needs(80, 70);
        PtxType result = d.Type("f32", "f16");
        PtxType a = isTensor ? d.Type("tf32") : d.Type("bf16", "f16");
        PtxType b = isTensor ? d.Type("tf32") : d.Type("bf16", "f16");
        PtxType accumulator = d.Type("f32", "f16");
        if (a != b || accumulator != result || (result == PtxType.F16 && a != PtxType.F16))
        {
            throw d.Error("is no combination of types that is emulated");
        }

        bool isHalf = result == PtxType.F16;
        PtxType part = isHalf ? PtxType.B32 : PtxType.F32;
        int count = isHalf ? 2 : 4;
        return new MatrixProduct(a, isHalf, d.Destinations(part, count), d.Sources(PtxType.B32, 4), d.Sources(PtxType.B32, 2), d.Sources(part, count));
    }

    private static ulong Holding(ulong[] values, uint lanes)
    {
        uint mask = 0;
        for (int lane = 0; lane < 32; lane++)
        {
            mask |= (uint)values[lane] << lane;
        }

        return mask & lanes;
    }
}
