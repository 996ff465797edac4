using System.Globalization;
using System.Reflection;

namespace LinearCald.Gpu.Tests.Language.Generated;

/// <summary>Types of the generated expressions.</summary>
internal enum NumberKind
{
    Int,
    UInt,
    Long,
    Float,
    Double,
}

/// <summary>A struct of mixed fields, in generated programs.</summary>
public struct Mixed
{
    public int Whole;
    public float Real;
    public long Wide;
    public byte Small;
}

internal abstract record Expression(NumberKind Kind);

/// <summary>For floats the bits of a double.</summary>
internal sealed record Constant(NumberKind Kind, long Bits) : Expression(Kind)
{
    public override string ToString() => Kind is NumberKind.Float or NumberKind.Double
        ? BitConverter.Int64BitsToDouble(Bits).ToString("R", CultureInfo.InvariantCulture)
        : Bits.ToString(CultureInfo.InvariantCulture);
}

internal sealed record Variable(NumberKind Kind, int Index) : Expression(Kind)
{
    public override string ToString() => $"{char.ToLowerInvariant(Kind.ToString()[0])}{Index}";
}

/// <summary>The counter of the loop at a depth.</summary>
internal sealed record Counter(int Depth) : Expression(NumberKind.Int)
{
    public override string ToString() => $"n{Depth}";
}

/// <summary>An element of an array of registers at a constant index.</summary>
internal sealed record Element(int Array, Expression Index) : Expression(NumberKind.Int)
{
    public override string ToString() => $"r{Array}[{Index}]";
}

internal sealed record FieldOf(NumberKind Kind, int Struct, string Name) : Expression(Kind)
{
    public override string ToString() => $"s{Struct}.{Name}";
}

internal sealed record Unary(string Operator, Expression Operand) : Expression(Operand.Kind)
{
    public override string ToString() => $"{Operator}({Operand})";
}

internal sealed record Binary(string Operator, Expression Left, Expression Right) : Expression(Left.Kind)
{
    public override string ToString() => $"({Left} {Operator} {Right})";
}

internal sealed record Comparison(string Operator, Expression Left, Expression Right) : Expression(NumberKind.Int)
{
    public override string ToString() => $"({Left} {Operator} {Right})";
}

internal sealed record Conditional(Expression Condition, Expression WhenTrue, Expression WhenFalse) : Expression(WhenTrue.Kind)
{
    public override string ToString() => $"({Condition} ? {WhenTrue} : {WhenFalse})";
}

internal sealed record Cast(NumberKind Kind, Expression Operand) : Expression(Kind)
{
    public override string ToString() => $"({Kind})({Operand})";
}

internal sealed record Call(MethodInfo Method, NumberKind Kind, Expression[] Arguments) : Expression(Kind)
{
    public override string ToString() => $"{Method.Name}({string.Join(", ", Arguments.AsEnumerable())})";
}

internal abstract record Statement;

internal sealed record Assign(Expression Target, Expression Value) : Statement
{
    public override string ToString() => $"{Target} = {Value};";
}

internal sealed record CopyStruct(int To, int From) : Statement
{
    public override string ToString() => $"s{To} = s{From};";
}

internal sealed record If(Expression Condition, Block Then, Block Else) : Statement
{
    public override string ToString() => $"if ({Condition}) {Then} else {Else}";
}

/// <summary>Counts from 0; a known bound may unroll, another is masked to 0 … 7.</summary>
internal sealed record CountedLoop(int Depth, bool TestFirst, Expression Bound, Block Body) : Statement
{
    public override string ToString() => TestFirst ? $"for (n{Depth} < {Bound}) {Body}" : $"do {Body} while (n{Depth} < {Bound})";
}

internal sealed record Switch(Expression Selector, Block[] Cases) : Statement
{
    public override string ToString() => $"switch ({Selector}) {string.Join(" case ", Cases.AsEnumerable())}";
}

/// <summary>Leaves the innermost loop, or goes on with its next round, or leaves the method.</summary>
internal sealed record Jump(string Kind) : Statement
{
    public override string ToString() => $"{Kind};";
}

internal sealed record Block(Statement[] Statements)
{
    public override string ToString() => $"{{ {string.Join(" ", Statements.AsEnumerable())} }}";
}
