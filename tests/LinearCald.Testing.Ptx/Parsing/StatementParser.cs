using System.Globalization;

namespace LinearCald.Testing.Ptx.Parsing;

/// <summary>Statements and their operands.</summary>
internal sealed class StatementParser(TokenReader tokens)
{
    /// <summary>An instruction with its guard, up to the semicolon.</summary>
    public Statement Statement()
    {
        Token first = tokens.Current;
        string? guard = null;
        bool isNegated = false;
        if (tokens.Current.Is("@"))
        {
            tokens.Next();
            if (tokens.Current.Is("!"))
            {
                isNegated = true;
                tokens.Next();
            }

            guard = tokens.Next().Value;
        }

        Token opcode = tokens.Next();
        if (opcode.Kind != TokenKind.Word)
        {
            throw TokenReader.Error(opcode, $"{opcode} is no instruction");
        }

        List<Operand> operands = [];
        while (!tokens.Current.Is(";"))
        {
            operands.Add(Operand());
            if (tokens.Current.Is(","))
            {
                tokens.Next();
            }
            else if (!tokens.Current.Is(";"))
            {
                throw TokenReader.Error(tokens.Current, $"expected ';' or ',' before {tokens.Current}");
            }
        }

        Token last = tokens.Next();
        string[] parts = opcode.Value.Split('.');
        return new Statement
        {
            Line = first.Line,
            Text = tokens.Text(first.Start, last.End),
            Opcode = parts[0],
            Modifiers = parts[1..],
            Operands = operands,
            Guard = guard,
            IsGuardNegated = isNegated,
        };
    }

    /// <summary>An operand, or two joined by a bar.</summary>
    public Operand Operand()
    {
        Operand operand = Simple();
        if (!tokens.Current.Is("|"))
        {
            return operand;
        }

        tokens.Next();
        return new Operand { Kind = OperandKind.Pair, Items = [operand, Simple()] };
    }

    private Operand Simple()
    {
        Token token = tokens.Next();
        if (token.Is("!"))
        {
            return new Operand { Kind = OperandKind.Name, Name = tokens.Next().Value, IsNegated = true };
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
            Token number = tokens.Next();
            return Constant(number, true);
        }

        if (token.Kind == TokenKind.Number)
        {
            return Constant(token, false);
        }

        if (token.Kind != TokenKind.Word)
        {
            throw TokenReader.Error(token, $"{token} is no operand");
        }

        if (token.Value == "_")
        {
            return new Operand { Kind = OperandKind.Sink };
        }

        if (tokens.Current.Is("+") && tokens.Following.Kind == TokenKind.Number)
        {
            tokens.Next();
            return new Operand { Kind = OperandKind.Name, Name = token.Value, Offset = (long)tokens.Number() };
        }

        return new Operand { Kind = OperandKind.Name, Name = token.Value };
    }

    private List<Operand> Items(string end)
    {
        List<Operand> items = [];
        while (!tokens.Current.Is(end))
        {
            items.Add(Operand());
            if (tokens.Current.Is(","))
            {
                tokens.Next();
            }
        }

        tokens.Next();
        return items;
    }

    private Operand Address()
    {
        Operand origin = Simple();
        long offset = origin.Offset;
        while (tokens.Current.Is("+") || tokens.Current.Is("-"))
        {
            bool isMinus = tokens.Next().Is("-");
            if (tokens.Current.Is("-"))
            {
                isMinus = !isMinus;
                tokens.Next();
            }

            long value = (long)tokens.Number();
            offset += isMinus ? -value : value;
        }

        List<Operand> items = [origin];
        if (tokens.Current.Is(","))
        {
            tokens.Next();
            items.Add(Simple());
        }

        tokens.Expect("]");
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
                throw TokenReader.Error(token, $"{token} is no number");
            }

            return new Operand { Kind = OperandKind.Float, Value = BitConverter.DoubleToUInt64Bits(isNegative ? -number : number) };
        }

        ulong integer = TokenReader.Integer(token);
        return new Operand { Kind = OperandKind.Integer, Value = isNegative ? 0 - integer : integer };
    }
}
