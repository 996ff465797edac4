namespace LinearCald.Testing.Ptx.Parsing;

internal enum OperandKind
{
    /// <summary>A register, symbol or label.</summary>
    Name,
    Integer,
    Float,

    /// <summary>[base + offset], with coordinates in braces for tensor copies as further items.</summary>
    Address,

    /// <summary>{a, b, …}.</summary>
    Vector,

    /// <summary>a|b.</summary>
    Pair,

    /// <summary>The sink <c>_</c>.</summary>
    Sink,
}

/// <summary>An operand as written.</summary>
internal sealed class Operand
{
    public required OperandKind Kind { get; init; }

    public string Name { get; init; } = "";

    /// <summary>Integer value; for floats the bits: of a single if <see cref="IsSingle"/>, else of a double.</summary>
    public ulong Value { get; init; }

    public bool IsSingle { get; init; }

    public bool IsNegated { get; init; }

    public IReadOnlyList<Operand> Items { get; init; } = [];

    /// <summary>Of an address: added to its base, in bytes.</summary>
    public long Offset { get; init; }

    public override string ToString() => Kind switch
    {
        OperandKind.Name => Name,
        OperandKind.Integer => ((long)Value).ToString(System.Globalization.CultureInfo.InvariantCulture),
        OperandKind.Float => "a float constant",
        OperandKind.Address => "an address",
        OperandKind.Vector => "a vector",
        OperandKind.Pair => "a pair",
        _ => "_",
    };
}

/// <summary>An instruction as written.</summary>
internal sealed class Statement
{
    public required int Line { get; init; }

    public required string Text { get; init; }

    public required string Opcode { get; init; }

    public required IReadOnlyList<string> Modifiers { get; init; }

    public required IReadOnlyList<Operand> Operands { get; init; }

    public string? Guard { get; init; }

    public bool IsGuardNegated { get; init; }

    public CaldException Error(string message) => new($"PTX line {Line} `{Text}`: {message}");
}
