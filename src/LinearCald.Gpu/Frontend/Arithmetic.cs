using System.Numerics;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend;

/// <summary>
/// IL arithmetic on values: computes what is known, keeps sums of a register and a constant lazy, issues instructions for the rest. Float operations carry
/// an explicit rounding, so that the assembler does not contract them and results equal those of the same C# on the CPU.
/// </summary>
internal sealed partial class Arithmetic(CodeBuilder code, Func<string, Refusal> refuse)
{
    public CodeBuilder Code { get; } = code;

    public Value Add(Value a, Value b)
    {
        (Scalar x, Scalar y) = Pair(a, b, "+");
        switch (x.Kind)
        {
            case RegisterKind.F32 or RegisterKind.F64:
                return Float("add.rn", x, y, static (p, q) => p + q, static (p, q) => p + q);
            case RegisterKind.B32:
                if (x is Known kx)
                {
                    return y is Known ky ? Known.Of(kx.Int + ky.Int) : Offset((Linear32)y, kx.Int);
                }

                return y is Known k ? Offset((Linear32)x, k.Int) : AddRegisters((Linear32)x, (Linear32)y);
            default:
                if (x is Known lx)
                {
                    return y is Known ly ? Known.Of(lx.Bits + ly.Bits) : Offset((Linear64)y, lx.Bits);
                }

                return y is Known l ? Offset((Linear64)x, l.Bits) : AddWide((Linear64)x, (Linear64)y);
        }
    }

    public Value Subtract(Value a, Value b)
    {
        (Scalar x, Scalar y) = Pair(a, b, "-");
        if (x.Kind is RegisterKind.F32 or RegisterKind.F64)
        {
            return Float("sub.rn", x, y, static (p, q) => p - q, static (p, q) => p - q);
        }

        if (y is Known k)
        {
            return Add(x, x.Kind == RegisterKind.B32 ? Known.Of(-k.Int) : Known.Of(-k.Bits));
        }

        if (x.Kind == RegisterKind.B32)
        {
            Linear32 r = (Linear32)y;
            if (x is Linear32 l)
            {
                return l.Register == r.Register
                    ? Known.Of(l.Offset - r.Offset)
                    : Offset(new Linear32(Code.Issue("sub.s32", RegisterKind.B32, InstructionFlags.Arithmetic, [Operand.Of(l.Register), Operand.Of(r.Register)])), l.Offset - r.Offset);
            }

            return new Linear32(Code.Issue("sub.s32", RegisterKind.B32, InstructionFlags.Arithmetic, [Operand.Integer(((Known)x).Int - r.Offset), Operand.Of(r.Register)]));
        }

        Linear64 wide = (Linear64)y;
        if (x is Linear64 left && left.Base == wide.Base && left.Index == wide.Index && left.Scale == wide.Scale && left.Unsigned == wide.Unsigned)
        {
            return Known.Of(left.Offset - wide.Offset);
        }

        if (wide.Base < 0)
        {
            return Add(x, new Linear64(-1, wide.Index, wide.Unsigned, -wide.Scale, -wide.Offset));
        }

        return new Linear64(Code.Issue("sub.s64", RegisterKind.B64, InstructionFlags.Arithmetic, [Use(x), Use(y)]));
    }

    public Value Multiply(Value a, Value b)
    {
        (Scalar x, Scalar y) = Pair(a, b, "*");
        if (x.Kind is RegisterKind.F32 or RegisterKind.F64)
        {
            return Float("mul.rn", x, y, static (p, q) => p * q, static (p, q) => p * q);
        }

        if (x is Known)
        {
            (x, y) = (y, x);
        }

        if (y is Known k)
        {
            return x.Kind == RegisterKind.B32 ? Scale(x, k.Int) : Scale(x, k.Bits);
        }

        if (x.Kind == RegisterKind.B32)
        {
            return new Linear32(Commutative("mul.lo.s32", RegisterKind.B32, Use(x), Use(y), ProductRange(x, y)));
        }

        // The product of two widened 32-bit numbers.
        if (x is Linear64 { Base: < 0, Scale: 1, Offset: 0 } l && y is Linear64 { Base: < 0, Scale: 1, Offset: 0 } r && (l.Unsigned == r.Unsigned))
        {
            return new Linear64(Commutative(l.Unsigned ? "mul.wide.u32" : "mul.wide.s32", RegisterKind.B64, Operand.Of(l.Index), Operand.Of(r.Index)));
        }

        return new Linear64(Commutative("mul.lo.s64", RegisterKind.B64, Use(x), Use(y)));
    }

    public Value Divide(Value a, Value b, bool unsigned)
    {
        (Scalar x, Scalar y) = Pair(a, b, "/");
        if (x.Kind is RegisterKind.F32 or RegisterKind.F64)
        {
            return Float("div.rn", x, y, static (p, q) => p / q, static (p, q) => p / q);
        }

        return Quotient(x, y, unsigned, false);
    }

    public Value Remainder(Value a, Value b, bool unsigned)
    {
        (Scalar x, Scalar y) = Pair(a, b, "%");
        if (x.Kind is RegisterKind.F32 or RegisterKind.F64)
        {
            return (x, y) switch
            {
                (Known { Kind: RegisterKind.F32 } p, Known q) => Known.Of(p.Single % q.Single),
                (Known p, Known q) => Known.Of(p.Double % q.Double),
                _ => throw refuse("the remainder of floats: compute a − b · truncate(a / b)"),
            };
        }

        return Quotient(x, y, unsigned, true);
    }

    public Value Negate(Value a)
    {
        Scalar x = Number(a, "-");
        return x switch
        {
            Known { Kind: RegisterKind.F32 } k => Known.Of(-k.Single),
            Known { Kind: RegisterKind.F64 } k => Known.Of(-k.Double),
            { Kind: RegisterKind.F32 } => new InRegister(RegisterKind.F32, Code.Issue("neg.f32", RegisterKind.F32, InstructionFlags.Arithmetic, [Use(x)])),
            { Kind: RegisterKind.F64 } => new InRegister(RegisterKind.F64, Code.Issue("neg.f64", RegisterKind.F64, InstructionFlags.Arithmetic, [Use(x)])),
            { Kind: RegisterKind.B32 } => Subtract(Known.Of(0), x),
            _ => Subtract(Known.Of(0L), x),
        };
    }

    public Value Not(Value a)
    {
        Scalar x = Number(a, "~");
        return x switch
        {
            Known { Kind: RegisterKind.B32 } k => Known.Of(~k.Int),
            Known k => Known.Of(~k.Bits),
            { Kind: RegisterKind.B32 } => new Linear32(Code.Issue("not.b32", RegisterKind.B32, InstructionFlags.Arithmetic, [Use(x)])),
            _ => new Linear64(Code.Issue("not.b64", RegisterKind.B64, InstructionFlags.Arithmetic, [Use(x)])),
        };
    }

    public Value And(Value a, Value b) => Bitwise("and", a, b, static (p, q) => p & q);

    public Value Or(Value a, Value b) => Bitwise("or", a, b, static (p, q) => p | q);

    public Value Xor(Value a, Value b) => Bitwise("xor", a, b, static (p, q) => p ^ q);

    public Value ShiftLeft(Value a, Value amount)
    {
        (Scalar x, Scalar n) = (Number(a, "<<"), Number(amount, "<<"));
        if (n is Known k)
        {
            return x.Kind == RegisterKind.B32 ? Scale(x, 1 << (k.Int & 31)) : Scale(x, 1L << (k.Int & 63));
        }

        return x.Kind == RegisterKind.B32
            ? new Linear32(Code.Issue("shl.b32", RegisterKind.B32, InstructionFlags.Arithmetic, [Use(x), UseInt(n)]))
            : new Linear64(Code.Issue("shl.b64", RegisterKind.B64, InstructionFlags.Arithmetic, [Use(x), UseInt(n)]));
    }

    public Value ShiftRight(Value a, Value amount, bool unsigned)
    {
        (Scalar x, Scalar n) = (Number(a, ">>"), Number(amount, ">>"));
        bool narrow = x.Kind == RegisterKind.B32;
        if (n is Known k)
        {
            int shift = k.Int & (narrow ? 31 : 63);
            if (shift == 0)
            {
                return x;
            }

            if (x is Known v)
            {
                return narrow
                    ? Known.Of(unsigned ? (int)((uint)v.Int >> shift) : v.Int >> shift)
                    : Known.Of(unsigned ? (long)((ulong)v.Bits >> shift) : v.Bits >> shift);
            }

            if (narrow)
            {
                (int low, int high) = RangeOf(x);
                if (x is Linear32 { Offset: not 0 } sum && low != int.MinValue && (low >= 0 || !unsigned) && (sum.Offset & ((1 << shift) - 1)) == 0
                    && (Code.Facts(sum.Register).Minimum >= 0 || !unsigned))
                {
                    // (r + m·2ᵏ) >> k = (r >> k) + m where the sum does not overflow, which its range says.
                    return Add(ShiftRight(new Linear32(sum.Register), k, unsigned), Known.Of(sum.Offset >> shift));
                }

                bool zeroFill = unsigned || low >= 0;
                (low, high) = low >= 0 ? (low >> shift, high >> shift) : unsigned ? (0, (int)(uint.MaxValue >> shift)) : (low >> shift, high >> shift);
                return new Linear32(Code.Issue(zeroFill ? "shr.u32" : "shr.s32", RegisterKind.B32, InstructionFlags.Arithmetic, [Use(x), Operand.Integer(shift)], low, high));
            }

            return new Linear64(Code.Issue(unsigned ? "shr.u64" : "shr.s64", RegisterKind.B64, InstructionFlags.Arithmetic, [Use(x), Operand.Integer(shift)]));
        }

        string mnemonic = (narrow, unsigned) switch
        {
            (true, true) => "shr.u32",
            (true, false) => "shr.s32",
            (false, true) => "shr.u64",
            _ => "shr.s64",
        };
        int result = Code.Issue(mnemonic, narrow ? RegisterKind.B32 : RegisterKind.B64, InstructionFlags.Arithmetic, [Use(x), UseInt(n)]);
        return narrow ? new Linear32(result) : new Linear64(result);
    }

    /// <summary>Least and greatest value of a 32-bit number read as signed.</summary>
    public (int Low, int High) RangeOf(Value value)
    {
        switch (value)
        {
            case Known k:
                return (k.Int, k.Int);
            case Condition:
                return (0, 1);
            case Linear32 l:
                RegisterFacts facts = Code.Facts(l.Register);
                long low = (long)facts.Minimum + l.Offset;
                long high = (long)facts.Maximum + l.Offset;
                return low >= int.MinValue && high <= int.MaxValue ? ((int)low, (int)high) : (int.MinValue, int.MaxValue);
            default:
                return (int.MinValue, int.MaxValue);
        }
    }

    /// <summary>The value times a known factor; exact modulo 2³² or 2⁶⁴, so offsets scale along.</summary>
    private Value Scale(Scalar x, long factor)
    {
        switch (x)
        {
            case Known k:
                return k.Kind == RegisterKind.B32 ? Known.Of(k.Int * (int)factor) : Known.Of(k.Bits * factor);
            case var _ when factor == 1:
                return x;
            case var _ when factor == 0:
                return x.Kind == RegisterKind.B32 ? Known.Of(0) : Known.Of(0L);
            case Linear32 l:
                int c = (int)factor;
                RegisterFacts facts = Code.Facts(l.Register);
                (int, int) range = Exact((long)facts.Minimum * c, (long)facts.Maximum * c);
                int product = BitOperations.IsPow2((uint)c)
                    ? Code.Issue("shl.b32", RegisterKind.B32, InstructionFlags.Arithmetic, [Operand.Of(l.Register), Operand.Integer(BitOperations.Log2((uint)c))], range.Item1, range.Item2)
                    : Code.Issue("mul.lo.s32", RegisterKind.B32, InstructionFlags.Arithmetic, [Operand.Of(l.Register), Operand.Integer(c)], range.Item1, range.Item2);
                return new Linear32(product, l.Offset * c);
            case Linear64 { Base: < 0 } l:
                return new Linear64(-1, l.Index, l.Unsigned, l.Scale * factor, l.Offset * factor);
            case Linear64 l:
                int register = Register(new Linear64(l.Base, l.Index, l.Unsigned, l.Scale, 0));
                int wide = factor > 0 && BitOperations.IsPow2(factor)
                    ? Code.Issue("shl.b64", RegisterKind.B64, InstructionFlags.Arithmetic, [Operand.Of(register), Operand.Integer(BitOperations.Log2((ulong)factor))])
                    : Code.Issue("mul.lo.s64", RegisterKind.B64, InstructionFlags.Arithmetic, [Operand.Of(register), Operand.Integer(factor)]);
                return new Linear64(wide, -1, false, 0, l.Offset * factor);
            default:
                throw refuse($"multiplication of {x.GetType().Name}");
        }
    }

    private static (int, int) Exact(long a, long b)
    {
        (long low, long high) = a < b ? (a, b) : (b, a);
        return low >= int.MinValue && high <= int.MaxValue ? ((int)low, (int)high) : (int.MinValue, int.MaxValue);
    }

    private (int Low, int High) ProductRange(Value x, Value y)
    {
        (int Low, int High) a = RangeOf(x);
        (int Low, int High) b = RangeOf(y);
        return a.Low >= 0 && b.Low >= 0 ? Exact((long)a.Low * b.Low, (long)a.High * b.High) : (int.MinValue, int.MaxValue);
    }

    private static Linear32 Offset(Linear32 l, int offset) => offset == 0 ? l : new Linear32(l.Register, l.Offset + offset);

    private static Linear64 Offset(Linear64 l, long offset) => offset == 0 ? l : new Linear64(l.Base, l.Index, l.Unsigned, l.Scale, l.Offset + offset);

    private Linear32 AddRegisters(Linear32 x, Linear32 y)
    {
        RegisterFacts p = Code.Facts(x.Register);
        RegisterFacts q = Code.Facts(y.Register);
        (int Low, int High) range = Exact((long)p.Minimum + q.Minimum, (long)p.Maximum + q.Maximum);
        return Offset(new Linear32(Commutative("add.s32", RegisterKind.B32, Operand.Of(x.Register), Operand.Of(y.Register), range)), x.Offset + y.Offset);
    }

    private Linear64 AddWide(Linear64 x, Linear64 y)
    {
        long offset = x.Offset + y.Offset;
        if (x.Base < 0 && y.Base < 0)
        {
            if (x.Index == y.Index && x.Unsigned == y.Unsigned)
            {
                return new Linear64(-1, x.Index, x.Unsigned, x.Scale + y.Scale, offset);
            }

            // Two indices: the first becomes the base.
            return new Linear64(Register(Offset(x, -x.Offset)), y.Index, y.Unsigned, y.Scale, offset);
        }

        if (x.Base < 0)
        {
            (x, y) = (y, x);
        }

        if (y.Base < 0)
        {
            // A base that already has an index takes it up before the next one.
            int b = x.Index < 0 ? x.Base : Register(Offset(x, -x.Offset));
            return new Linear64(b, y.Index, y.Unsigned, y.Scale, offset);
        }

        int left = Register(Offset(x, -x.Offset));
        int right = Register(Offset(y, -y.Offset));
        return new Linear64(Commutative("add.s64", RegisterKind.B64, Operand.Of(left), Operand.Of(right)), -1, false, 0, offset);
    }

    private Value Quotient(Scalar x, Scalar y, bool unsigned, bool remainder)
    {
        bool narrow = x.Kind == RegisterKind.B32;
        if (y is Known { Bits: 0 })
        {
            throw refuse("a division by zero");
        }

        if (x is Known a && y is Known b)
        {
            return narrow ? Known.Of(Quotient(a.Int, b.Int, unsigned, remainder)) : Known.Of(Quotient(a.Bits, b.Bits, unsigned, remainder));
        }

        if (y is Known { Bits: 1 })
        {
            return remainder ? (narrow ? Known.Of(0) : Known.Of(0L)) : x;
        }

        (int Low, int High) range = narrow ? RangeOf(x) : (int.MinValue, int.MaxValue);
        bool positive = unsigned || range.Low >= 0;
        if (y is Known k && positive && BitOperations.IsPow2(k.Bits) && k.Bits > 0)
        {
            int shift = BitOperations.Log2((ulong)k.Bits);
            return remainder
                ? And(x, narrow ? Known.Of(k.Int - 1) : Known.Of(k.Bits - 1))
                : ShiftRight(x, Known.Of(shift), true);
        }

        (int Low, int High) divisor = narrow ? RangeOf(y) : (int.MinValue, int.MaxValue);
        bool signs = !unsigned && range.Low >= 0 && divisor.Low >= 0;
        string mnemonic = $"{(remainder ? "rem" : "div")}.{(unsigned || signs ? "u" : "s")}{(narrow ? 32 : 64)}";
        (int Low, int High) result = (int.MinValue, int.MaxValue);
        if (signs && divisor.Low > 0)
        {
            result = remainder ? (0, Math.Min(range.High, divisor.High - 1)) : (range.Low / divisor.High, range.High / divisor.Low);
            if (remainder && range.High < divisor.Low)
            {
                return x;
            }
        }

        int register = Code.Issue(mnemonic, narrow ? RegisterKind.B32 : RegisterKind.B64, InstructionFlags.Pure, [Use(x), Use(y)], result.Low, result.High);
        return narrow ? new Linear32(register) : new Linear64(register);
    }

    private static int Quotient(int a, int b, bool unsigned, bool remainder) => (unsigned, remainder) switch
    {
        (true, true) => (int)((uint)a % (uint)b),
        (true, false) => (int)((uint)a / (uint)b),
        (false, true) => b == -1 ? 0 : a % b,
        _ => b == -1 ? unchecked(-a) : a / b,
    };

    private static long Quotient(long a, long b, bool unsigned, bool remainder) => (unsigned, remainder) switch
    {
        (true, true) => (long)((ulong)a % (ulong)b),
        (true, false) => (long)((ulong)a / (ulong)b),
        (false, true) => b == -1 ? 0 : a % b,
        _ => b == -1 ? unchecked(-a) : a / b,
    };

    private Value Bitwise(string name, Value a, Value b, Func<long, long, long> fold)
    {
        if (a is Condition or Known { Kind: RegisterKind.B32, Bits: 0 or 1 } && b is Condition or Known { Kind: RegisterKind.B32, Bits: 0 or 1 } && (a is Condition || b is Condition))
        {
            return Logical(name, (Scalar)a, (Scalar)b);
        }

        (Scalar x, Scalar y) = Pair(a, b, name);
        if (x is Known)
        {
            (x, y) = (y, x);
        }

        bool narrow = x.Kind == RegisterKind.B32;
        if (y is Known k)
        {
            if (x is Known v)
            {
                long bits = fold(v.Bits, k.Bits);
                return narrow ? Known.Of((int)bits) : Known.Of(bits);
            }

            if (name == "and" ? k.Bits == -1 : k.Bits == 0)
            {
                return x;
            }

            if (name == "and" && k.Bits == 0)
            {
                return k;
            }

            // What does not reach the mask's bits adds nothing: (r + m·2ᵏ) & (2ᵏ − 1) = r & (2ᵏ − 1).
            if (narrow && name == "and" && x is Linear32 { Offset: not 0 } sum && k.Bits > 0 && ((k.Int + 1) & k.Int) == 0 && (sum.Offset & k.Int) == 0)
            {
                return And(new Linear32(sum.Register), k);
            }

            // Masks that keep every bit that can be set.
            if (narrow && name == "and" && k.Bits >= 0 && ((k.Int + 1) & k.Int) == 0 && RangeOf(x) is var kept && kept.Low >= 0 && kept.High <= k.Int)
            {
                return x;
            }
        }

        (int Low, int High) range = (int.MinValue, int.MaxValue);
        if (narrow)
        {
            (int lowX, int highX) = RangeOf(x);
            (int lowY, int highY) = RangeOf(y);
            if (name == "and" && (lowX >= 0 || lowY >= 0))
            {
                range = (0, lowX >= 0 && lowY >= 0 ? Math.Min(highX, highY) : lowX >= 0 ? highX : highY);
            }
            else if (name != "and" && lowX >= 0 && lowY >= 0)
            {
                range = (0, (int)((BitOperations.RoundUpToPowerOf2((uint)Math.Max(highX, highY) + 1) - 1) & int.MaxValue));
            }
        }

        string suffix = narrow ? ".b32" : ".b64";
        int register = Commutative(name + suffix, narrow ? RegisterKind.B32 : RegisterKind.B64, Use(x), Use(y), range);
        return narrow ? new Linear32(register) : new Linear64(register);
    }

    /// <summary>and, or, xor of two truth values, one of them a predicate.</summary>
    private Value Logical(string name, Scalar x, Scalar y)
    {
        if (x is Known)
        {
            (x, y) = (y, x);
        }

        Condition p = (Condition)x;
        if (y is Known k)
        {
            return (name, k.Bits) switch
            {
                ("and", 0) => k,
                ("or", 1) => k,
                ("xor", 1) => new Condition(p.Register, !p.Negated),
                _ => p,
            };
        }

        Condition q = (Condition)y;
        if (p.Register == q.Register)
        {
            return name == "xor" ? Known.Of(p.Negated != q.Negated) : p.Negated == q.Negated ? p : Known.Of(name == "or");
        }

        if (name == "xor")
        {
            int plain = Commutative("xor.pred", RegisterKind.Predicate, Operand.Of(p.Register), Operand.Of(q.Register));
            return new Condition(plain, p.Negated != q.Negated);
        }

        return new Condition(Commutative(name + ".pred", RegisterKind.Predicate, Operand.Of(Positive(p)), Operand.Of(Positive(q))), false);
    }

    /// <summary>The predicate register that holds the condition itself.</summary>
    private int Positive(Condition p) => p.Negated ? Code.Issue("not.pred", RegisterKind.Predicate, InstructionFlags.Arithmetic, [Operand.Of(p.Register)]) : p.Register;

    private int Commutative(string mnemonic, RegisterKind kind, Operand x, Operand y, (int Low, int High)? range = null)
    {
        if (x.Kind == OperandKind.Register && y.Kind == OperandKind.Register && x.Register > y.Register)
        {
            (x, y) = (y, x);
        }

        (int low, int high) = range ?? (int.MinValue, int.MaxValue);
        InstructionFlags flags = InstructionFlags.Arithmetic;
        return Code.Issue(mnemonic, kind, flags, [x, y], low, high);
    }

    private Value Float(string name, Scalar x, Scalar y, Func<float, float, float> single, Func<double, double, double> @double)
    {
        if (x is Known a && y is Known b)
        {
            return x.Kind == RegisterKind.F32 ? Known.Of(single(a.Single, b.Single)) : Known.Of(@double(a.Double, b.Double));
        }

        InstructionFlags flags = name == "div.rn" ? InstructionFlags.Pure : InstructionFlags.Arithmetic;
        string mnemonic = name + (x.Kind == RegisterKind.F32 ? ".f32" : ".f64");
        return new InRegister(x.Kind, Code.Issue(mnemonic, x.Kind, flags, [Use(x), Use(y)]));
    }

    /// <summary>Operands of one kind: truth values become integers, and an int beside a native int is sign-extended.</summary>
    private (Scalar, Scalar) Pair(Value a, Value b, string operation)
    {
        Scalar x = Number(a, operation);
        Scalar y = Number(b, operation);
        if (x.Kind == y.Kind)
        {
            return (x, y);
        }

        if (x.Kind == RegisterKind.B64 && y.Kind == RegisterKind.B32)
        {
            return (x, Widen(y, false));
        }

        if (x.Kind == RegisterKind.B32 && y.Kind == RegisterKind.B64)
        {
            return (Widen(x, false), y);
        }

        if (x.Kind == RegisterKind.F64 && y.Kind == RegisterKind.F32)
        {
            return (x, (Scalar)ToFloat64(y, false));
        }

        if (x.Kind == RegisterKind.F32 && y.Kind == RegisterKind.F64)
        {
            return ((Scalar)ToFloat64(x, false), y);
        }

        throw refuse($"'{operation}' on a {x.Kind} and a {y.Kind}");
    }

    /// <summary>A value as a number; refuses what is none.</summary>
    public Scalar Number(Value value, string use) => value switch
    {
        Condition c => Integer(c),
        Scalar s => s,
        Undefined => throw refuse($"'{use}' reads a variable or register that was never written"),
        Poison p => throw refuse($"'{use}' reads a value that depends on the path: {p.Reason}"),
        Null => Known.Of(0L),
        _ => throw refuse($"'{use}' on a {Describe(value)}"),
    };

    public static string Describe(Value value) => value switch
    {
        Aggregate a => a.Layout.Type.Name,
        LocalRef r => $"reference to a {r.Layout.Type.Name}",
        TypeToken t => $"type {t.Type.Name}",
        TextToken => "string; kernels have none",
        Boxed b => $"{b.Type.Name} as an object; kernels have none",
        ConstantRef or TableRef => "reference to a constant",
        Known => "constant",
        Scalar => "number",
        _ => value.GetType().Name.ToLowerInvariant(),
    };
}
