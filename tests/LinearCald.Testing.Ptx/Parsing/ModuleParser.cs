using System.Globalization;

namespace LinearCald.Testing.Ptx.Parsing;

/// <summary>Directives, declarations and statements of a PTX module.</summary>
internal sealed class ModuleParser(string text)
{
    private readonly List<Token> _tokens = Lexer.Read(text);
    private readonly List<PtxVariable> _variables = [];
    private readonly Dictionary<string, PtxEntry> _entries = [];
    private int _at;
    private int _version;
    private int _target;
    private bool _isArchitectureSpecific;

    private Token Current => _tokens[_at];

    public PtxModule Parse()
    {
        while (Current.Kind != TokenKind.End)
        {
            Directive();
        }

        return new PtxModule
        {
            Version = _version,
            Target = _target,
            IsArchitectureSpecific = _isArchitectureSpecific,
            Variables = _variables,
            Entries = _entries,
        };
    }

    private void Directive()
    {
        Token token = Next();
        switch (token.Value)
        {
            case ".version":
                string[] parts = Next().Value.Split('.');
                _version = (int.Parse(parts[0], CultureInfo.InvariantCulture) * 10) + int.Parse(parts[1], CultureInfo.InvariantCulture);
                break;
            case ".target":
                Target(Next());
                while (Current.Is(","))
                {
                    Next();
                    Next();
                }

                break;
            case ".address_size":
                if (Next().Value != "64")
                {
                    throw Error(token, ".address_size must be 64");
                }

                break;
            case ".visible" or ".weak":
                break;
            case ".extern":
                if (Current.Value is not ".shared")
                {
                    throw Error(Current, "only shared arrays can be .extern here");
                }

                Next();
                _variables.Add(Variable(StateSpace.Shared, true));
                break;
            case ".global":
                _variables.Add(Variable(StateSpace.Global, false));
                break;
            case ".const":
                _variables.Add(Variable(StateSpace.Const, false));
                break;
            case ".shared":
                _variables.Add(Variable(StateSpace.Shared, false));
                break;
            case ".file":
                SkipLine(token);
                break;
            case ".entry":
                Entry();
                break;
            default:
                throw Error(token, $"{token} is not known here");
        }
    }

    private void Target(Token token)
    {
        string name = token.Value;
        _isArchitectureSpecific = name.EndsWith('a');
        if (!name.StartsWith("sm_", StringComparison.Ordinal) || !int.TryParse(name[3..].TrimEnd('a'), CultureInfo.InvariantCulture, out _target))
        {
            throw Error(token, $"target {token} is not known");
        }
    }

    private void Entry()
    {
        Token token = Next();
        if (_version == 0 || _target == 0)
        {
            throw Error(token, ".version and .target must stand before the first entry");
        }

        PtxEntry entry = new() { Name = token.Value, Line = token.Line };
        if (Current.Is("("))
        {
            Next();
            while (!Current.Is(")"))
            {
                Expect(".param");
                PtxVariable parameter = Declaration(StateSpace.Param, false);
                int address = (entry.ParameterBytes + parameter.Alignment - 1) / parameter.Alignment * parameter.Alignment;
                parameter.Address = (ulong)address;
                entry.ParameterBytes = address + (int)parameter.Size;
                entry.Parameters.Add(parameter);
                if (!Current.Is(","))
                {
                    break;
                }

                Next();
            }

            Expect(")");
        }

        while (!Current.Is("{"))
        {
            Tuning(entry);
        }

        if (entry.RequiredGroup is null && entry.MaximumGroup is null)
        {
            throw Error(token, $"entry {token} has neither .reqntid nor .maxntid");
        }

        Next();
        Body(entry);
        Next();
        if (!_entries.TryAdd(entry.Name, entry))
        {
            throw Error(token, $"entry {token} is declared twice");
        }
    }

    private void Tuning(PtxEntry entry)
    {
        Token token = Next();
        switch (token.Value)
        {
            case ".reqntid":
                entry.RequiredGroup = Extents();
                break;
            case ".maxntid":
                entry.MaximumGroup = Extents();
                break;
            case ".minnctapersm" or ".maxnreg" or ".maxclusterrank":
                Number();
                break;
            case ".reqnctapercluster":
                Extents();
                break;
            case ".explicitcluster":
                break;
            case ".pragma":
                SkipStatement();
                break;
            default:
                throw Error(token, $"{token} is not known before the body of an entry");
        }
    }

    private Index3 Extents()
    {
        int x = (int)Number();
        int y = 1;
        int z = 1;
        if (Current.Is(","))
        {
            Next();
            y = (int)Number();
        }

        if (Current.Is(","))
        {
            Next();
            z = (int)Number();
        }

        return new Index3(x, y, z);
    }

    private void Body(PtxEntry entry)
    {
        int depth = 0;
        while (true)
        {
            Token token = Current;
            if (token.Is("{"))
            {
                depth++;
                Next();
            }
            else if (token.Is("}"))
            {
                if (depth-- == 0)
                {
                    return;
                }

                Next();
            }
            else if (token.Kind == TokenKind.End)
            {
                throw Error(token, $"entry {entry.Name} has no closing brace");
            }
            else if (token.Kind == TokenKind.Word && token.Value[0] == '.')
            {
                Next();
                BodyDirective(entry, token);
            }
            else if (token.Kind == TokenKind.Word && _tokens[_at + 1].Is(":"))
            {
                Next();
                Next();
                Label(entry, token);
            }
            else
            {
                entry.Statements.Add(Statement());
            }
        }
    }

    private void Label(PtxEntry entry, Token token)
    {
        if (Current.Value == ".branchtargets")
        {
            Next();
            List<string> labels = [];
            while (!Current.Is(";"))
            {
                labels.Add(Next().Value);
                if (Current.Is(","))
                {
                    Next();
                }
            }

            Next();
            entry.BranchTargets.Add(token.Value, labels);
        }
        else if (!entry.Labels.TryAdd(token.Value, entry.Statements.Count))
        {
            throw Error(token, $"label {token} is declared twice");
        }
    }

    private void BodyDirective(PtxEntry entry, Token token)
    {
        switch (token.Value)
        {
            case ".reg":
                Registers(entry);
                break;
            case ".shared":
                entry.Variables.Add(Variable(StateSpace.Shared, false));
                break;
            case ".local":
                entry.Variables.Add(Variable(StateSpace.Local, false));
                break;
            case ".const":
                entry.Variables.Add(Variable(StateSpace.Const, false));
                break;
            case ".global":
                entry.Variables.Add(Variable(StateSpace.Global, false));
                break;
            case ".loc":
                SkipLine(token);
                break;
            case ".pragma":
                SkipStatement();
                break;
            default:
                throw Error(token, $"{token} is not known in the body of an entry");
        }
    }

    private void Registers(PtxEntry entry)
    {
        Token typeToken = Next();
        if (!PtxType.TryParse(typeToken.Value[1..], out PtxType type) || type.Bits == 8 || type.Kind is TypeKind.BrainFloat or TypeKind.TensorFloat)
        {
            throw Error(typeToken, $"{typeToken} is no register type");
        }

        while (true)
        {
            Token name = Next();
            if (name.Kind != TokenKind.Word)
            {
                throw Error(name, $"{name} is no register name");
            }

            if (Current.Is("<"))
            {
                Next();
                ulong count = Number();
                Expect(">");
                for (ulong i = 0; i < count; i++)
                {
                    Declare(entry, name, string.Create(CultureInfo.InvariantCulture, $"{name.Value}{i}"), type);
                }
            }
            else
            {
                Declare(entry, name, name.Value, type);
            }

            if (!Current.Is(","))
            {
                break;
            }

            Next();
        }

        Expect(";");
    }

    private static void Declare(PtxEntry entry, Token token, string name, PtxType type)
    {
        if (!entry.Registers.TryAdd(name, type))
        {
            throw Error(token, $"register '{name}' is declared twice");
        }
    }

    private PtxVariable Variable(StateSpace space, bool isExtern)
    {
        PtxVariable variable = Declaration(space, isExtern);
        Expect(";");
        return variable;
    }

    private PtxVariable Declaration(StateSpace space, bool isExtern)
    {
        int alignment = 0;
        PtxType type = default;
        Token token;
        while (true)
        {
            token = Next();
            if (token.Value == ".align")
            {
                alignment = (int)Number();
            }
            else if (token.Value is ".ptr" or ".global" && space == StateSpace.Param)
            {
                // A hint about what a pointer parameter points to.
            }
            else if (token.Value.StartsWith('.') && PtxType.TryParse(token.Value[1..], out PtxType found))
            {
                type = found;
            }
            else
            {
                break;
            }
        }

        if (type.Bits == 0 || token.Kind != TokenKind.Word || token.Value.StartsWith('.'))
        {
            throw Error(token, $"{token} is no declaration");
        }

        alignment = alignment == 0 ? type.Bytes : alignment;
        if (!int.IsPow2(alignment))
        {
            throw Error(token, $".align {alignment} of {token} is no power of two");
        }

        long size = type.Bytes;
        bool isOpen = false;
        while (Current.Is("["))
        {
            Next();
            if (Current.Is("]"))
            {
                isOpen = true;
            }
            else
            {
                size = checked(size * (long)Number());
            }

            Expect("]");
        }

        byte[]? initial = null;
        if (Current.Is("="))
        {
            Next();
            initial = Initial(type, ref size, isOpen);
        }
        else if (isOpen != isExtern)
        {
            throw Error(token, isOpen ? $"array {token} has no size" : $"extern array {token} has a size");
        }

        return new PtxVariable
        {
            Name = token.Value,
            Space = space,
            Line = token.Line,
            Type = type,
            Alignment = alignment,
            Size = isExtern ? -1 : size,
            Initial = initial,
        };
    }

    private byte[] Initial(PtxType type, ref long size, bool isOpen)
    {
        List<Operand> values = [];
        if (Current.Is("{"))
        {
            Next();
            while (!Current.Is("}"))
            {
                values.Add(Operand());
                if (Current.Is(","))
                {
                    Next();
                }
            }

            Next();
        }
        else
        {
            values.Add(Operand());
        }

        if (isOpen)
        {
            size = values.Count * type.Bytes;
        }

        byte[] bytes = new byte[size];
        Span<byte> word = stackalloc byte[8];
        for (int i = 0; i < values.Count; i++)
        {
            BitConverter.TryWriteBytes(word, ConstantBits(values[i], type));
            if ((i + 1) * type.Bytes > size)
            {
                throw Error(Current, "more initial values than elements");
            }

            word[..type.Bytes].CopyTo(bytes.AsSpan(i * type.Bytes));
        }

        return bytes;
    }

    /// <summary>The bits of a constant operand as a value of the type.</summary>
    public static ulong ConstantBits(Operand operand, PtxType type)
    {
        if (operand.Kind == OperandKind.Integer)
        {
            return operand.Value & type.Mask;
        }

        if (type.Bits == 64)
        {
            return operand.IsSingle ? BitConverter.DoubleToUInt64Bits(BitConverter.UInt32BitsToSingle((uint)operand.Value)) : operand.Value;
        }

        return operand.IsSingle ? operand.Value : BitConverter.SingleToUInt32Bits((float)BitConverter.UInt64BitsToDouble(operand.Value));
    }

    private Statement Statement()
    {
        Token first = Current;
        string? guard = null;
        bool isNegated = false;
        if (Current.Is("@"))
        {
            Next();
            if (Current.Is("!"))
            {
                isNegated = true;
                Next();
            }

            guard = Next().Value;
        }

        Token opcode = Next();
        if (opcode.Kind != TokenKind.Word)
        {
            throw Error(opcode, $"{opcode} is no instruction");
        }

        List<Operand> operands = [];
        while (!Current.Is(";"))
        {
            operands.Add(Operand());
            if (Current.Is(","))
            {
                Next();
            }
            else if (!Current.Is(";"))
            {
                throw Error(Current, $"expected ';' or ',' before {Current}");
            }
        }

        Token last = Next();
        string[] parts = opcode.Value.Split('.');
        return new Statement
        {
            Line = first.Line,
            Text = string.Join(' ', text[first.Start..last.End].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)),
            Opcode = parts[0],
            Modifiers = parts[1..],
            Operands = operands,
            Guard = guard,
            IsGuardNegated = isNegated,
        };
    }

    private Operand Operand()
    {
        Operand operand = Simple();
        if (!Current.Is("|"))
        {
            return operand;
        }

        Next();
        return new Operand { Kind = OperandKind.Pair, Items = [operand, Simple()] };
    }

    private Operand Simple()
    {
        Token token = Next();
        if (token.Is("!"))
        {
            return new Operand { Kind = OperandKind.Name, Name = Next().Value, IsNegated = true };
        }

        if (token.Is("["))
        {
            return Address();
        }

        if (token.Is("{"))
        {
            return new Operand { Kind = OperandKind.Vector, Items = Items("}") };
        }

        if (token.Is("-"))
        {
            Token number = Next();
            return Constant(number, true);
        }

        if (token.Kind == TokenKind.Number)
        {
            return Constant(token, false);
        }

        if (token.Kind != TokenKind.Word)
        {
            throw Error(token, $"{token} is no operand");
        }

        if (token.Value == "_")
        {
            return new Operand { Kind = OperandKind.Sink };
        }

        if (Current.Is("+") && _tokens[_at + 1].Kind == TokenKind.Number)
        {
            Next();
            return new Operand { Kind = OperandKind.Name, Name = token.Value, Offset = (long)Number() };
        }

        return new Operand { Kind = OperandKind.Name, Name = token.Value };
    }

    private List<Operand> Items(string end)
    {
        List<Operand> items = [];
        while (!Current.Is(end))
        {
            items.Add(Operand());
            if (Current.Is(","))
            {
                Next();
            }
        }

        Next();
        return items;
    }

    private Operand Address()
    {
        Operand origin = Simple();
        long offset = origin.Offset;
        while (Current.Is("+") || Current.Is("-"))
        {
            bool isMinus = Next().Is("-");
            if (Current.Is("-"))
            {
                isMinus = !isMinus;
                Next();
            }

            long value = (long)Number();
            offset += isMinus ? -value : value;
        }

        List<Operand> items = [origin];
        if (Current.Is(","))
        {
            Next();
            items.Add(Simple());
        }

        Expect("]");
        return new Operand { Kind = OperandKind.Address, Items = items, Offset = offset };
    }

    private static Operand Constant(Token token, bool isNegative)
    {
        string value = token.Value;
        if (value.StartsWith("0f", StringComparison.OrdinalIgnoreCase) && value.Length == 10)
        {
            uint bits = uint.Parse(value[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            return new Operand { Kind = OperandKind.Float, IsSingle = true, Value = isNegative ? bits ^ 0x80000000 : bits };
        }

        if (value.StartsWith("0d", StringComparison.OrdinalIgnoreCase) && value.Length == 18)
        {
            ulong bits = ulong.Parse(value[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            return new Operand { Kind = OperandKind.Float, Value = isNegative ? bits ^ (1UL << 63) : bits };
        }

        if (value.Contains('.', StringComparison.Ordinal))
        {
            if (!double.TryParse(value, CultureInfo.InvariantCulture, out double number))
            {
                throw Error(token, $"{token} is no number");
            }

            return new Operand { Kind = OperandKind.Float, Value = BitConverter.DoubleToUInt64Bits(isNegative ? -number : number) };
        }

        ulong integer = Integer(token);
        return new Operand { Kind = OperandKind.Integer, Value = isNegative ? 0 - integer : integer };
    }

    private ulong Number() => Integer(Next());

    private static ulong Integer(Token token)
    {
        string value = token.Value.TrimEnd('U', 'u');
        bool isHex = value.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        if (token.Kind != TokenKind.Number
            || !ulong.TryParse(isHex ? value[2..] : value, isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out ulong result))
        {
            throw Error(token, $"{token} is no integer");
        }

        return result;
    }

    private Token Next()
    {
        Token token = _tokens[_at];
        if (token.Kind != TokenKind.End)
        {
            _at++;
        }

        return token;
    }

    private void Expect(string value)
    {
        Token token = Next();
        if (token.Value != value)
        {
            throw Error(token, $"expected '{value}' instead of {token}");
        }
    }

    private void SkipLine(Token token)
    {
        while (Current.Line == token.Line && Current.Kind != TokenKind.End)
        {
            Next();
        }
    }

    private void SkipStatement()
    {
        while (!Next().Is(";"))
        {
            if (Current.Kind == TokenKind.End)
            {
                throw Error(Current, "expected ';'");
            }
        }
    }

    private static CaldException Error(Token token, string message) => new($"PTX line {token.Line}: {message}");
}
