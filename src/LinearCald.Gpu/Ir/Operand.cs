namespace LinearCald.Gpu.Ir;

internal enum OperandKind : byte
{
    /// <summary>Absent, or a value that no path reads.</summary>
    None,
    Register,
    NotRegister,
    Integer,
    Float32,
    Float64,

    /// <summary>[register + displacement].</summary>
    Address,

    /// <summary>A name that PTX knows: a special register, a symbol, a vector of lanes.</summary>
    Name,

    /// <summary>[name + displacement].</summary>
    NameAddress,
}

/// <summary>An operand of an instruction. Equal operands denote the same value where both are available.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Register">The register, or -1.</param>
/// <param name="Bits">The immediate or displacement.</param>
/// <param name="Name">The name, if one.</param>
internal readonly record struct Operand(OperandKind Kind, int Register, long Bits, string? Name)
{
    public static readonly Operand None = new(OperandKind.None, -1, 0, null);

    public bool HasRegister => Register >= 0;

    public static Operand Of(int register) => new(OperandKind.Register, register, 0, null);

    public static Operand Of(int predicate, bool negated) => new(negated ? OperandKind.NotRegister : OperandKind.Register, predicate, 0, null);

    public static Operand Integer(long value) => new(OperandKind.Integer, -1, value, null);

    public static Operand Float32(int bits) => new(OperandKind.Float32, -1, bits, null);

    public static Operand Float64(long bits) => new(OperandKind.Float64, -1, bits, null);

    public static Operand Address(int register, long displacement) => new(OperandKind.Address, register, displacement, null);

    public static Operand Named(string name) => new(OperandKind.Name, -1, 0, name);

    public static Operand Address(string name, long displacement) => new(OperandKind.NameAddress, -1, displacement, name);

    public Operand WithRegister(int register) => new(Kind, register, Bits, Name);
}
