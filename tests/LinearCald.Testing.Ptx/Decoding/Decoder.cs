using LinearCald.Testing.Ptx.Execution;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Decoding;

/// <summary>
/// One instruction while it is decoded. Modifiers are taken in the order that PTX prescribes and operands from left to right; whatever is left over or of the
/// wrong type is an error.
/// </summary>
internal sealed class Decoder(CodeBuilder code, Statement statement)
{
    private int _modifier;
    private int _operand;

    public CodeBuilder Code => code;

    public string Opcode => statement.Opcode;

    /// <summary>Declared type of the register taken last: relaxed operands may be wider than the instruction.</summary>
    public PtxType LastRegister { get; private set; }

    public int OperandsLeft => statement.Operands.Count - _operand;

    /// <summary>The type that stands last among the modifiers, which names the family of overloaded opcodes.</summary>
    public PtxType LastType =>
        statement.Modifiers.Count > 0 && PtxType.TryParse(statement.Modifiers[^1], out PtxType type) ? type : throw Error("has no type at its end");

    public CaldException Error(string message) => statement.Error(message);

    public Operand? Next => _operand < statement.Operands.Count ? statement.Operands[_operand] : null;

    /// <summary>Takes a modifier if it is next.</summary>
    public bool Take(string modifier)
    {
        if (_modifier < statement.Modifiers.Count && statement.Modifiers[_modifier] == modifier)
        {
            _modifier++;
            return true;
        }

        return false;
    }

    /// <summary>Takes one of the modifiers if it is next, else returns null.</summary>
    public string? TakeAny(params ReadOnlySpan<string> modifiers)
    {
        foreach (string modifier in modifiers)
        {
            if (Take(modifier))
            {
                return modifier;
            }
        }

        return null;
    }

    /// <summary>Takes modifiers that must be next.</summary>
    public void Expect(params ReadOnlySpan<string> modifiers)
    {
        foreach (string modifier in modifiers)
        {
            if (!Take(modifier))
            {
                throw Error($"expected .{modifier} {Found()}");
            }
        }
    }

    /// <summary>Takes one of the modifiers, which must be next.</summary>
    public string ExpectAny(params ReadOnlySpan<string> modifiers) =>
        TakeAny(modifiers) ?? throw Error($"expected one of .{string.Join(" .", modifiers.ToArray())} {Found()}");

    /// <summary>Takes a type, which must be next and one of the listed.</summary>
    public PtxType Type(params ReadOnlySpan<string> names)
    {
        string name = ExpectAny(names);
        _ = PtxType.TryParse(name, out PtxType type);
        return type;
    }

    /// <summary>Takes any type.</summary>
    public PtxType AnyType()
    {
        if (_modifier < statement.Modifiers.Count && PtxType.TryParse(statement.Modifiers[_modifier], out PtxType type))
        {
            _modifier++;
            return type;
        }

        throw Error($"expected a type {Found()}");
    }

    /// <summary>The register that a result goes to.</summary>
    public int Destination(PtxType type, bool isRelaxed = false) => Register(Operand(), type, isRelaxed);

    /// <summary>The register that a result goes to, or −1 for the sink.</summary>
    public int DestinationOrSink(PtxType type)
    {
        Operand operand = Operand();
        return operand.Kind == OperandKind.Sink ? -1 : Register(operand, type, false);
    }

    /// <summary>One or two results written <c>a</c> or <c>a|b</c>; −1 where there is none.</summary>
    public (int First, int Second) Pair(PtxType first, PtxType second)
    {
        Operand operand = Operand();
        if (operand.Kind != OperandKind.Pair)
        {
            return (operand.Kind == OperandKind.Sink ? -1 : Register(operand, first, false), -1);
        }

        int a = operand.Items[0].Kind == OperandKind.Sink ? -1 : Register(operand.Items[0], first, false);
        int b = operand.Items[1].Kind == OperandKind.Sink ? -1 : Register(operand.Items[1], second, false);
        return (a, b);
    }

    /// <summary>A register or constant.</summary>
    public int Source(PtxType type, bool isRelaxed = false) => Source(Operand(), type, isRelaxed);

    public int Source(Operand operand, PtxType type, bool isRelaxed = false)
    {
        switch (operand.Kind)
        {
            case OperandKind.Integer when type.Kind is TypeKind.Bits or TypeKind.Unsigned or TypeKind.Signed:
                CheckFits(operand, type);
                return code.Constant(operand.Value & type.Mask);
            case OperandKind.Integer when type.Kind == TypeKind.Predicate && operand.Value <= 1:
                return code.Constant(operand.Value);
            case OperandKind.Float when (type.Kind is TypeKind.Float or TypeKind.Bits) && type.Bits >= 32 && type.Lanes == 1:
                return code.Constant(DeclarationParser.ConstantBits(operand, type));
            case OperandKind.Name when !operand.IsNegated:
                return Register(operand, type, isRelaxed);
            default:
                throw Error($"{operand} cannot stand for a {type} value");
        }
    }

    /// <summary>A predicate, which may be negated.</summary>
    public (int Register, bool IsNegated) Predicate()
    {
        Operand operand = Operand();
        if (operand.Kind == OperandKind.Integer)
        {
            return (Source(operand, PtxType.Predicate), false);
        }

        return (Register(operand, PtxType.Predicate, false), operand.IsNegated);
    }

    /// <summary>A literal integer.</summary>
    public int Literal(int minimum, int maximum)
    {
        Operand operand = Operand();
        long value = (long)operand.Value;
        return operand.Kind == OperandKind.Integer && value >= minimum && value <= maximum
            ? (int)value
            : throw Error($"expected a constant from {minimum} to {maximum} instead of {operand}");
    }

    /// <summary>{a, b, …} or a single operand, of the given length.</summary>
    public int[] Sources(PtxType type, int count, bool isRelaxed = false)
    {
        List<int> list = [];
        foreach (Operand item in Vector(count))
        {
            list.Add(Source(item, type, isRelaxed));
        }

        return [.. list];
    }

    /// <summary>{a, b, …} or a single register, of the given length; −1 for sinks.</summary>
    public int[] Destinations(PtxType type, int count, bool isRelaxed = false)
    {
        List<int> list = [];
        foreach (Operand item in Vector(count))
        {
            list.Add(item.Kind == OperandKind.Sink ? -1 : Register(item, type, isRelaxed));
        }

        return [.. list];
    }

    /// <summary>The next operand as written.</summary>
    public Operand Operand() => _operand < statement.Operands.Count ? statement.Operands[_operand++] : throw Error("has too few operands");

    /// <summary>An address: register of its base, and what is added.</summary>
    public AddressOperand Address(StateSpace space)
    {
        Operand operand = Operand();
        if (operand.Kind != OperandKind.Address)
        {
            throw Error($"expected an address instead of {operand}");
        }

        return Address(operand, space);
    }

    public AddressOperand Address(Operand operand, StateSpace space)
    {
        Operand origin = operand.Items[0];
        if (origin.Kind == OperandKind.Integer)
        {
            return new AddressOperand(code.Constant(origin.Value), operand.Offset, null);
        }

        if (code.TryVariable(origin.Name, out PtxVariable? variable))
        {
            if (space != variable!.Space && space != StateSpace.Generic)
            {
                throw Error($"{variable.Name} is a {variable.Space} variable");
            }

            if (space == StateSpace.Generic)
            {
                throw Error($"the address of {variable.Name} is not generic: convert it with cvta");
            }

            return new AddressOperand(code.Constant(variable.Address), operand.Offset, variable);
        }

        PtxType type = code.TypeOf(origin.Name, this);
        bool isNarrow = type.Bits == 32 && space is StateSpace.Shared or StateSpace.Local or StateSpace.Param or StateSpace.Const;
        if (type.Kind is not (TypeKind.Bits or TypeKind.Unsigned or TypeKind.Signed) || !(type.Bits == 64 || isNarrow))
        {
            throw Error($"register {origin.Name} of type {type} cannot hold an address in {space} memory");
        }

        return new AddressOperand(code.Register(origin.Name), operand.Offset, null);
    }

    /// <summary>Refuses the instruction on older targets.</summary>
    public void Needs(int target, int version, bool isArchitectureSpecific = false)
    {
        if (code.Module.Target < target || code.Module.Version < version || (isArchitectureSpecific && !code.Module.IsArchitectureSpecific))
        {
            throw Error($"needs .target sm_{target}{(isArchitectureSpecific ? "a" : "")} and .version {version / 10}.{version % 10} at least");
        }
    }

    /// <summary>Everything must have been taken.</summary>
    public void End()
    {
        if (_modifier < statement.Modifiers.Count)
        {
            throw Error($"unknown or misplaced modifier .{statement.Modifiers[_modifier]}");
        }

        if (_operand < statement.Operands.Count)
        {
            throw Error($"has an operand too many: {statement.Operands[_operand]}");
        }
    }

    private IReadOnlyList<Operand> Vector(int count)
    {
        Operand operand = Operand();
        IReadOnlyList<Operand> items = operand.Kind == OperandKind.Vector ? operand.Items : [operand];
        return items.Count == count ? items : throw Error($"expected {count} elements, found {items.Count}");
    }

    private int Register(Operand operand, PtxType type, bool isRelaxed)
    {
        if (operand.Kind != OperandKind.Name)
        {
            throw Error($"expected a register instead of {operand}");
        }

        if (operand.Name[0] == '%' && SpecialRegister.TryFind(operand.Name, out _))
        {
            throw Error($"{operand.Name} can be read by mov only");
        }

        PtxType register = code.TypeOf(operand.Name, this);
        LastRegister = register;
        return (isRelaxed ? type.AcceptsWider(register) : type.Accepts(register))
            ? code.Register(operand.Name)
            : throw Error($"register {operand.Name} is {register}; the instruction asks for {type}");
    }

    private void CheckFits(Operand operand, PtxType type)
    {
        long value = (long)operand.Value;
        bool fits = type.Bits == 64 || (value >= -(1L << (type.Bits - 1)) && value < 1L << type.Bits);
        if (!fits)
        {
            throw Error($"constant {value} does not fit in {type}");
        }
    }

    private string Found() => _modifier < statement.Modifiers.Count ? $"instead of .{statement.Modifiers[_modifier]}" : "at the end of the opcode";
}

/// <summary>Base register and constant part of an address, and the variable that it names, if it does.</summary>
internal readonly record struct AddressOperand(int Register, long Offset, PtxVariable? Variable);
