using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend;

internal sealed partial class Arithmetic
{
    /// <summary>The value as an operand: an immediate if known.</summary>
    public Operand Use(Value value)
    {
        switch (value)
        {
            case Known { Kind: RegisterKind.F32 } k:
                return Operand.Float32((int)k.Bits);
            case Known { Kind: RegisterKind.F64 } k:
                return Operand.Float64(k.Bits);
            case Known k:
                return Operand.Integer(k.Bits);
            case Condition c:
                return Operand.Of(c.Register, c.Negated);
            default:
                return Operand.Of(Register(value));
        }
    }

    /// <summary>The low 32 bits as an operand, for shift amounts.</summary>
    private Operand UseInt(Scalar value) => Use(value.Kind == RegisterKind.B64 ? ToInt32(value, false) : value);

    /// <summary>A register that holds the value.</summary>
    public int Register(Value value)
    {
        switch (value)
        {
            case InRegister r:
                return r.Register;
            case Linear32 l:
                if (l.Offset == 0)
                {
                    return l.Register;
                }

                (int low, int high) = RangeOf(l);
                return Code.Issue("add.s32", RegisterKind.B32, InstructionFlags.Arithmetic, [Operand.Of(l.Register), Operand.Integer(l.Offset)], low, high);
            case Linear64 l:
                return Register64(l);
            case Known k:
                string mnemonic = k.Kind switch
                {
                    RegisterKind.F32 => "mov.f32",
                    RegisterKind.F64 => "mov.f64",
                    RegisterKind.B64 => "mov.b64",
                    _ => "mov.b32",
                };
                return k.Kind == RegisterKind.B32
                    ? Code.Issue(mnemonic, k.Kind, InstructionFlags.Arithmetic, [Use(k)], k.Int, k.Int)
                    : Code.Issue(mnemonic, k.Kind, InstructionFlags.Arithmetic, [Use(k)]);
            case Condition c:
                return Positive(c);
            default:
                throw refuse($"a {Describe(Number(value, "use"))} where a register is needed");
        }
    }

    /// <summary>A truth value as 0 or 1.</summary>
    public Linear32 Integer(Condition c) =>
        new(Code.Issue(
            "selp.b32",
            RegisterKind.B32,
            InstructionFlags.Arithmetic,
            [Operand.Integer(c.Negated ? 0 : 1), Operand.Integer(c.Negated ? 1 : 0), Operand.Of(c.Register)],
            0,
            1));

    /// <summary>Splits a 64-bit address into what a memory instruction takes: a register and a displacement.</summary>
    public Operand Address64(Value value)
    {
        switch (value)
        {
            case Linear64 l when l.Offset is >= int.MinValue and <= int.MaxValue:
                return Operand.Address(Register64(new Linear64(l.Base, l.Index, l.Unsigned, l.Scale, 0)), l.Offset);
            default:
                return Operand.Address(Register(value), 0);
        }
    }

    /// <summary>The same for a 32-bit address in shared memory.</summary>
    public Operand Address32(Value value) => value switch
    {
        Linear32 l => Operand.Address(l.Register, l.Offset),
        _ => Operand.Address(Register(value), 0),
    };

    private int Register64(Linear64 l)
    {
        int register = l.Base;
        if (l.Index >= 0)
        {
            int index = Widened(l.Index, l.Unsigned, l.Scale);
            register = register < 0 ? index : Commutative("add.s64", RegisterKind.B64, Operand.Of(register), Operand.Of(index));
        }

        return l.Offset == 0
            ? register
            : Code.Issue("add.s64", RegisterKind.B64, InstructionFlags.Arithmetic, [Operand.Of(register), Operand.Integer(l.Offset)]);
    }

    private int Widened(int index, bool unsigned, long scale)
    {
        if (scale == 1)
        {
            return Code.Issue(unsigned ? "cvt.u64.u32" : "cvt.s64.s32", RegisterKind.B64, InstructionFlags.Arithmetic, [Operand.Of(index)]);
        }

        if (unsigned ? scale is >= 0 and <= uint.MaxValue : scale is >= int.MinValue and <= int.MaxValue)
        {
            return Code.Issue(unsigned ? "mul.wide.u32" : "mul.wide.s32", RegisterKind.B64, InstructionFlags.Arithmetic, [Operand.Of(index), Operand.Integer(scale)]);
        }

        return Code.Issue("mul.lo.s64", RegisterKind.B64, InstructionFlags.Arithmetic, [Operand.Of(Widened(index, unsigned, 1)), Operand.Integer(scale)]);
    }
}
