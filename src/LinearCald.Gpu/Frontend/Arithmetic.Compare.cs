using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend;

internal sealed partial class Arithmetic
{
    /// <summary>
    /// A comparison. <paramref name="un"/> as in IL: unsigned for integers, and true for unordered operands (NaN) for floats.
    /// </summary>
    public Value Compare(Comparison comparison, Value a, Value b, bool un)
    {
        if (References(a, b) is { } same)
        {
            return Known.Of(comparison == Comparison.Equal ? same : !same);
        }

        if (a is Condition && b is Known or Condition || (b is Condition && a is Known))
        {
            if (Truth(comparison, (Scalar)a, (Scalar)b, un) is { } truth)
            {
                return truth;
            }
        }

        (Scalar x, Scalar y) = Pair(a, b, "comparison");
        if (x.Kind is RegisterKind.F32 or RegisterKind.F64)
        {
            return CompareFloats(comparison, x, y, un);
        }

        if (x is Known kx && y is Known ky)
        {
            return Known.Of(comparison.Holds(Order(kx, ky, un)), new KnownComparison(comparison, un, kx.Bits, ky.Bits));
        }

        if (x is Known)
        {
            (x, y, comparison) = (y, x, comparison.Swap());
        }

        bool equality = comparison is Comparison.Equal or Comparison.NotEqual;
        if (x is Linear32 l && y is Linear32 r && l.Register == r.Register && (equality || l.Offset == r.Offset))
        {
            return Known.Of(comparison.Holds(l.Offset == r.Offset ? 0 : 1));
        }

        if (y is Known limit)
        {
            if (CompareChoice(comparison, x, limit, un) is { } chosen)
            {
                return chosen;
            }

            if (un && !equality)
            {
                (Comparison simpler, long bits) = AtBound(comparison, limit);
                if (simpler is Comparison.Less or Comparison.GreaterOrEqual && bits == 0)
                {
                    return Known.Of(simpler == Comparison.GreaterOrEqual);
                }

                (comparison, y) = (simpler, limit.Kind == RegisterKind.B32 ? Known.Of((int)bits) : Known.Of(bits));
                equality = comparison is Comparison.Equal or Comparison.NotEqual;
            }
        }

        if (x.Kind == RegisterKind.B32)
        {
            (int Low, int High) p = RangeOf(x);
            (int Low, int High) q = RangeOf(y);
            bool agree = !un || equality || (p.Low >= 0 && q.Low >= 0);
            if (agree && Decided(comparison, p, q) is { } known)
            {
                return Known.Of(known);
            }

            if (un && !equality && p.Low >= 0 && q.Low >= 0)
            {
                un = false;
            }
        }

        string type = (x.Kind == RegisterKind.B32 ? "32" : "64").Insert(0, equality ? "b" : un ? "u" : "s");
        int register = Code.Issue($"setp.{Name(comparison)}.{type}", RegisterKind.Predicate, InstructionFlags.Arithmetic, [Use(x), Use(y)]);
        return new Condition(register, false);
    }

    /// <summary>A value as the condition of a branch: known, or a predicate.</summary>
    public Value ToCondition(Value value)
    {
        switch (value)
        {
            case Condition or Known { Kind: RegisterKind.B32 }:
                return value;
            case LocalRef or TypeToken:
                return Known.Of(1);
            case Null:
                return Known.Of(0);
            default:
                Scalar x = Number(value, "branch");
                return Compare(Comparison.NotEqual, x, x.Kind == RegisterKind.B32 ? Known.Of(0) : x.Kind == RegisterKind.B64 ? Known.Of(0L) : throw refuse("a branch on a float"), true);
        }
    }

    public static Value Negate(Condition c) => new Condition(c.Register, !c.Negated);

    /// <summary>One of two values by a predicate; both of one kind.</summary>
    public Value Select(Condition condition, Scalar whenTrue, Scalar whenFalse)
    {
        if (Values.Same(whenTrue, whenFalse))
        {
            return whenTrue;
        }

        bool truth = whenTrue is Condition or Known { Kind: RegisterKind.B32, Bits: 0 or 1 } && whenFalse is Condition or Known { Kind: RegisterKind.B32, Bits: 0 or 1 };
        if (truth && (whenTrue is Condition || whenFalse is Condition))
        {
            Value both = And(condition, whenTrue);
            Value neither = And(Negate(condition), whenFalse);
            return whenTrue is Known { Bits: 1 } ? Or(condition, whenFalse)
                : whenFalse is Known { Bits: 1 } ? Or(Negate(condition), whenTrue)
                : whenTrue is Known ? neither
                : whenFalse is Known ? both
                : Or(both, neither);
        }

        if (whenTrue is Known { Kind: RegisterKind.B32 } one && whenFalse is Known zero && one.Bits + zero.Bits == 1 && one.Bits is 0 or 1)
        {
            return one.Bits == 1 ? condition : Negate(condition);
        }

        (whenTrue, whenFalse) = (Number(whenTrue, "?:"), Number(whenFalse, "?:"));
        (Operand x, Operand y) = condition.Negated ? (Use(whenFalse), Use(whenTrue)) : (Use(whenTrue), Use(whenFalse));
        RegisterKind kind = whenTrue.Kind;
        string mnemonic = kind switch
        {
            RegisterKind.B16 => "selp.b16",
            RegisterKind.B32 => "selp.b32",
            RegisterKind.B64 => "selp.b64",
            RegisterKind.F32 => "selp.f32",
            _ => "selp.f64",
        };
        (int Low, int High) p = kind == RegisterKind.B32 ? RangeOf(whenTrue) : (int.MinValue, int.MaxValue);
        (int Low, int High) q = kind == RegisterKind.B32 ? RangeOf(whenFalse) : (int.MinValue, int.MaxValue);
        int register = Code.Issue(
            mnemonic, kind, InstructionFlags.Arithmetic, [x, y, Operand.Of(condition.Register)], Math.Min(p.Low, q.Low), Math.Max(p.High, q.High));
        if (whenTrue is Known { Kind: RegisterKind.B32 or RegisterKind.B64 } chosen && whenFalse is Known other)
        {
            (long first, long second) = condition.Negated ? (other.Bits, chosen.Bits) : (chosen.Bits, other.Bits);
            Code.Note(register, new Choice(condition.Register, first, second));
        }

        return OfRegister(kind, register);
    }

    /// <summary>The value that a register holds.</summary>
    public static Scalar OfRegister(RegisterKind kind, int register) => kind switch
    {
        RegisterKind.B32 => new Linear32(register),
        RegisterKind.B64 => new Linear64(register),
        RegisterKind.Predicate => new Condition(register, false),
        _ => new InRegister(kind, register),
    };

    private static long Unsigned(Known k) => k.Kind == RegisterKind.B32 ? (uint)k.Int : k.Bits;

    private static int Order(Known a, Known b, bool un) => un ? ((ulong)Unsigned(a)).CompareTo((ulong)Unsigned(b)) : a.Bits.CompareTo(b.Bits);

    /// <summary>
    /// An unsigned comparison with the least or greatest number, or next to it, as an equality, or as one that is decided: less than 0, or not less than 0.
    /// A decided one may not reach the driver: its compiler (580) makes <c>(p ? 0 : -1) &lt; 0u</c> true where p is false.
    /// </summary>
    private static (Comparison Comparison, long Bits) AtBound(Comparison comparison, Known limit)
    {
        const long Greatest = -1;
        return (comparison, limit.Bits) switch
        {
            (Comparison.LessOrEqual, 0) or (Comparison.Less, 1) => (Comparison.Equal, 0),
            (Comparison.Greater, 0) or (Comparison.GreaterOrEqual, 1) => (Comparison.NotEqual, 0),
            (Comparison.GreaterOrEqual, Greatest) => (Comparison.Equal, Greatest),
            (Comparison.Less, Greatest) => (Comparison.NotEqual, Greatest),
            (Comparison.Greater, Greatest) => (Comparison.Less, 0),
            (Comparison.LessOrEqual, Greatest) => (Comparison.GreaterOrEqual, 0),
            _ => (comparison, limit.Bits),
        };
    }

    private static bool? References(Value a, Value b) => (a, b) switch
    {
        (LocalRef, Null) or (Null, LocalRef) => false,
        (Null, Null) => true,
        (LocalRef x, LocalRef y) => x.Slot == y.Slot,
        (TypeToken x, TypeToken y) => x.Type == y.Type,
        _ => null,
    };

    private static bool? Decided(Comparison comparison, (int Low, int High) p, (int Low, int High) q) => comparison switch
    {
        Comparison.Less => p.High < q.Low ? true : p.Low >= q.High ? false : null,
        Comparison.LessOrEqual => p.High <= q.Low ? true : p.Low > q.High ? false : null,
        Comparison.Greater => p.Low > q.High ? true : p.High <= q.Low ? false : null,
        Comparison.GreaterOrEqual => p.Low >= q.High ? true : p.High < q.Low ? false : null,
        Comparison.Equal => p.High < q.Low || p.Low > q.High ? false : null,
        _ => p.High < q.Low || p.Low > q.High ? true : null,
    };

    private static string Name(Comparison comparison) => comparison switch
    {
        Comparison.Equal => "eq",
        Comparison.NotEqual => "ne",
        Comparison.Less => "lt",
        Comparison.LessOrEqual => "le",
        Comparison.Greater => "gt",
        _ => "ge",
    };

    /// <summary>The comparison of one of two constants with a third: the predicate that chose, or decided.</summary>
    private Value? CompareChoice(Comparison comparison, Scalar x, Known limit, bool un)
    {
        (int register, int offset) = x switch
        {
            Linear32 l => (l.Register, l.Offset),
            Linear64 { Index: < 0, Offset: 0 } l => (l.Base, 0),
            _ => (-1, 0),
        };
        if (register < 0 || Code.Facts(register).Choice is not { } choice)
        {
            return null;
        }

        Known Of(long bits) => x.Kind == RegisterKind.B32 ? Known.Of((int)bits + offset) : Known.Of(bits);
        bool whenTrue = comparison.Holds(Order(Of(choice.WhenTrue), limit, un));
        bool whenFalse = comparison.Holds(Order(Of(choice.WhenFalse), limit, un));
        return whenTrue == whenFalse ? Known.Of(whenTrue) : new Condition(choice.Predicate, whenFalse);
    }

    /// <summary>Comparisons of truth values that stay truth values.</summary>
    private Value? Truth(Comparison comparison, Scalar a, Scalar b, bool un)
    {
        if (a is Known)
        {
            (a, b, comparison) = (b, a, comparison.Swap());
        }

        Condition p = (Condition)a;
        if (b is Condition q)
        {
            return comparison switch
            {
                Comparison.Equal => Logical("xor", p, (Condition)Negate(q)),
                Comparison.NotEqual => Logical("xor", p, q),
                _ => null,
            };
        }

        Known k = (Known)b;
        return (comparison, k.Bits) switch
        {
            (Comparison.Equal, 1) or (Comparison.NotEqual, 0) or (Comparison.Greater, 0) or (Comparison.GreaterOrEqual, 1) => p,
            (Comparison.Equal, 0) or (Comparison.NotEqual, 1) or (Comparison.Less, 1) => Negate(p),
            (Comparison.LessOrEqual, 0) => Negate(p),
            _ => null,
        };
    }

    private Value CompareFloats(Comparison comparison, Scalar x, Scalar y, bool un)
    {
        if (x is Known a && y is Known b)
        {
            double p = x.Kind == RegisterKind.F32 ? a.Single : a.Double;
            double q = x.Kind == RegisterKind.F32 ? b.Single : b.Double;
            bool result = double.IsNaN(p) || double.IsNaN(q) ? un : comparison.Holds(p < q ? -1 : p > q ? 1 : 0);
            return Known.Of(result);
        }

        string name = Name(comparison) + (un ? "u" : "");
        int register = Code.Issue($"setp.{name}.{(x.Kind == RegisterKind.F32 ? "f32" : "f64")}", RegisterKind.Predicate, InstructionFlags.Arithmetic, [Use(x), Use(y)]);
        return new Condition(register, false);
    }
}
