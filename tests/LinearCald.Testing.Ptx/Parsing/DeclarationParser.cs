namespace LinearCald.Testing.Ptx.Parsing;

/// <summary>Declarations of variables, with their initial values.</summary>
internal sealed class DeclarationParser(TokenReader tokens, StatementParser statements)
{
    /// <summary>A declaration up to the semicolon.</summary>
    public PtxVariable Variable(StateSpace space, bool isExtern)
    {
        PtxVariable variable = Declaration(space, isExtern);
        tokens.Expect(";");
        return variable;
    }

    /// <summary>A declaration without what ends it: also that of an entry's parameter.</summary>
    public PtxVariable Declaration(StateSpace space, bool isExtern)
    {
        int alignment = 0;
        PtxType type = default;
        Token token;
        while (true)
        {
            token = tokens.Next();
            if (token.Value == ".align")
            {
                alignment = (int)tokens.Number();
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
            throw TokenReader.Error(token, $"{token} is no declaration");
        }

        alignment = alignment == 0 ? type.Bytes : alignment;
        if (!int.IsPow2(alignment))
        {
            throw TokenReader.Error(token, $".align {alignment} of {token} is no power of two");
        }

        long size = type.Bytes;
        bool isOpen = false;
        while (tokens.Current.Is("["))
        {
            tokens.Next();
            if (tokens.Current.Is("]"))
            {
                isOpen = true;
            }
            else
            {
                size = checked(size * (long)tokens.Number());
            }

            tokens.Expect("]");
        }

        byte[]? initial = null;
        if (tokens.Current.Is("="))
        {
            tokens.Next();
            initial = Initial(type, ref size, isOpen);
        }
        else if (isOpen != isExtern)
        {
            throw TokenReader.Error(token, isOpen ? $"array {token} has no size" : $"extern array {token} has a size");
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

    private byte[] Initial(PtxType type, ref long size, bool isOpen)
    {
        List<Operand> values = [];
        if (tokens.Current.Is("{"))
        {
            tokens.Next();
            while (!tokens.Current.Is("}"))
            {
                values.Add(statements.Operand());
                if (tokens.Current.Is(","))
                {
                    tokens.Next();
                }
            }

            tokens.Next();
        }
        else
        {
            values.Add(statements.Operand());
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
                throw TokenReader.Error(tokens.Current, "more initial values than elements");
            }

            word[..type.Bytes].CopyTo(bytes.AsSpan(i * type.Bytes));
        }

        return bytes;
    }
}
