using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend;

/// <summary>What the evaluator knows of a value on the evaluation stack or in a local variable. Immutable.</summary>
internal abstract class Value;

/// <summary>A value that fits a register.</summary>
internal abstract class Scalar(RegisterKind kind) : Value
{
    public RegisterKind Kind { get; } = kind;
}

/// <summary>A number that is known. Floats are held by their bits, so that NaN equals itself where states are compared.</summary>
internal sealed class Known : Scalar
{
    private static readonly Known[] s_small = [.. Enumerable.Range(-16, 528).Select(i => new Known(RegisterKind.B32, i))];

    private Known(RegisterKind kind, long bits, KnownComparison? comparison = null)
        : base(kind)
    {
        Bits = bits;
        Comparison = comparison;
    }

    /// <summary>The bits; 32-bit integers sign-extended.</summary>
    public long Bits { get; }

    /// <summary>The comparison that gave this truth value, from which trip counts are predicted.</summary>
    public KnownComparison? Comparison { get; }

    public int Int => (int)Bits;

    public float Single => BitConverter.Int32BitsToSingle((int)Bits);

    public double Double => BitConverter.Int64BitsToDouble(Bits);

    public static Known Of(int value) => (uint)(value + 16) < (uint)s_small.Length ? s_small[value + 16] : new Known(RegisterKind.B32, value);

    public static Known Of(bool value, KnownComparison? comparison = null) =>
        comparison is null ? Of(value ? 1 : 0) : new Known(RegisterKind.B32, value ? 1 : 0, comparison);

    public static Known Of(long value) => new(RegisterKind.B64, value);

    public static Known Of(float value) => new(RegisterKind.F32, BitConverter.SingleToInt32Bits(value));

    public static Known Of(double value) => new(RegisterKind.F64, BitConverter.DoubleToInt64Bits(value));

    public override string ToString() => Kind switch
    {
        RegisterKind.F32 => $"{Single}f",
        RegisterKind.F64 => $"{Double}",
        _ => $"{Bits}",
    };
}

/// <summary>An integer comparison of known operands.</summary>
internal sealed record KnownComparison(Comparison Operator, bool Unsigned, long Left, long Right);

/// <summary>A 32-bit integer: register + offset, modulo 2³². The sum is only computed when something but an address needs it.</summary>
internal sealed class Linear32(int register, int offset = 0) : Scalar(RegisterKind.B32)
{
    public int Register { get; } = register;

    public int Offset { get; } = offset;
}

/// <summary>A 64-bit integer or pointer: base + widened 32-bit index · scale + offset. Base or index may be absent (-1), not both.</summary>
internal sealed class Linear64(int @base, int index, bool unsigned, long scale, long offset) : Scalar(RegisterKind.B64)
{
    public Linear64(int @base)
        : this(@base, -1, false, 0, 0)
    {
    }

    public int Base { get; } = @base;

    public int Index { get; } = index;

    /// <summary>Whether the index is widened as unsigned.</summary>
    public bool Unsigned { get; } = unsigned;

    public long Scale { get; } = scale;

    public long Offset { get; } = offset;
}

/// <summary>A float, or any other value that is just a register.</summary>
internal sealed class InRegister(RegisterKind kind, int register) : Scalar(kind)
{
    public int Register { get; } = register;
}

/// <summary>A truth value in a predicate register; becomes an integer only where arithmetic needs one.</summary>
internal sealed class Condition(int register, bool negated) : Scalar(RegisterKind.Predicate)
{
    public int Register { get; } = register;

    public bool Negated { get; } = negated;
}

/// <summary>A struct: its primitive fields in order of declaration, nested ones in place.</summary>
internal sealed class Aggregate(TypeLayout layout, Value[] leaves) : Value
{
    public TypeLayout Layout { get; } = layout;

    /// <summary>Never written after construction.</summary>
    public Value[] Leaves { get; } = leaves;
}

/// <summary>A managed reference to a local variable, an argument, or a part of one.</summary>
internal sealed class LocalRef(int slot, TypeLayout layout) : Value
{
    /// <summary>The first leaf in the state.</summary>
    public int Slot { get; } = slot;

    public TypeLayout Layout { get; } = layout;
}

/// <summary>What <c>ldtoken</c> of a type gives, and <c>typeof</c>.</summary>
internal sealed class TypeToken(Type type) : Value
{
    public Type Type { get; } = type;
}

/// <summary>A reference to something that nobody can write: a static readonly field, or a part of one.</summary>
internal sealed class ConstantRef(Value value) : Value
{
    public Value Value { get; } = value;
}

/// <summary>A reference to an element of a constant table, as the C# compiler makes of a span of literals.</summary>
internal sealed class TableRef(ConstantTable table, int first) : Value
{
    public ConstantTable Table { get; } = table;

    /// <summary>Index of the element.</summary>
    public int First { get; } = first;
}

/// <summary>A number turned into an object, which the class library's generic arithmetic does to turn it back at once.</summary>
internal sealed class Boxed(Value value, Type type) : Value
{
    public Value Value { get; } = value;

    public Type Type { get; } = type;
}

/// <summary>A constant string, which only members for the debug device take.</summary>
internal sealed class TextToken : Value
{
    public static readonly TextToken Instance = new();
}

/// <summary>The null reference.</summary>
internal sealed class Null : Value
{
    public static readonly Null Instance = new();
}

/// <summary>Never written.</summary>
internal sealed class Undefined : Value
{
    public static readonly Undefined Instance = new();
}

/// <summary>Paths disagree and no register can hold the choice. An error only where it is read.</summary>
internal sealed class Poison(string reason) : Value
{
    public string Reason { get; } = reason;
}

internal enum Comparison : byte
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

internal static class Comparisons
{
    public static Comparison Negate(this Comparison c) => c switch
    {
        Comparison.Equal => Comparison.NotEqual,
        Comparison.NotEqual => Comparison.Equal,
        Comparison.Less => Comparison.GreaterOrEqual,
        Comparison.LessOrEqual => Comparison.Greater,
        Comparison.Greater => Comparison.LessOrEqual,
        _ => Comparison.Less,
    };

    public static Comparison Swap(this Comparison c) => c switch
    {
        Comparison.Less => Comparison.Greater,
        Comparison.LessOrEqual => Comparison.GreaterOrEqual,
        Comparison.Greater => Comparison.Less,
        Comparison.GreaterOrEqual => Comparison.LessOrEqual,
        _ => c,
    };

    public static bool Holds(this Comparison c, int order) => c switch
    {
        Comparison.Equal => order == 0,
        Comparison.NotEqual => order != 0,
        Comparison.Less => order < 0,
        Comparison.LessOrEqual => order <= 0,
        Comparison.Greater => order > 0,
        _ => order >= 0,
    };
}

internal static class Values
{
    /// <summary>Whether two values are the same for a reader.</summary>
    public static bool Same(Value a, Value b)
    {
        if (ReferenceEquals(a, b))
        {
            return true;
        }

        switch (a)
        {
            case Known x:
                return b is Known y && x.Kind == y.Kind && x.Bits == y.Bits;
            case Linear32 x:
                return b is Linear32 y32 && x.Register == y32.Register && x.Offset == y32.Offset;
            case InRegister x:
                return b is InRegister yr && x.Register == yr.Register;
            case Linear64 x:
                return b is Linear64 y64 && x.Base == y64.Base && x.Index == y64.Index && x.Scale == y64.Scale && x.Offset == y64.Offset
                    && (x.Unsigned == y64.Unsigned || x.Index < 0);
            case Condition x:
                return b is Condition yc && x.Register == yc.Register && x.Negated == yc.Negated;
            case LocalRef x:
                return b is LocalRef yl && x.Slot == yl.Slot && ReferenceEquals(x.Layout, yl.Layout);
            case TypeToken x:
                return b is TypeToken yt && x.Type == yt.Type;
            case ConstantRef x:
                return b is ConstantRef yv && Same(x.Value, yv.Value);
            case TableRef x:
                return b is TableRef ye && ReferenceEquals(x.Table, ye.Table) && x.First == ye.First;
            case Aggregate x:
                if (b is not Aggregate ya || !ReferenceEquals(x.Layout, ya.Layout))
                {
                    return false;
                }

                for (int i = 0; i < x.Leaves.Length; i++)
                {
                    if (!Same(x.Leaves[i], ya.Leaves[i]))
                    {
                        return false;
                    }
                }

                return true;
            case Poison:
                return b is Poison;
            default:
                return false;
        }
    }
}
