using System.Globalization;
using System.Text;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Ptx;

/// <summary>Writes PTX: names registers in order of appearance, places labels, lets blocks fall through where the next one follows.</summary>
internal sealed class PtxPrinter(CodeBuilder code)
{
    private static readonly string[] s_prefixes = ["%p", "%h", "%r", "%rd", "%f", "%fd"];
    private static readonly string[] s_types = [".pred", ".b16", ".b32", ".b64", ".f32", ".f64"];
    private readonly StringBuilder _text = new();
    private readonly int[] _names = new int[code.RegisterCount];
    private readonly int[] _counts = new int[s_prefixes.Length];

    /// <summary>The body of an entry: register declarations and instructions.</summary>
    public string Body(IReadOnlyList<Block> blocks, Func<object, string> describe)
    {
        HashSet<Block> labelled = [.. blocks.SelectMany((b, i) => Labelled(b, i + 1 < blocks.Count ? blocks[i + 1] : null))];
        Dictionary<Block, int> labels = [];
        foreach (Block block in blocks.Where(labelled.Contains))
            labels.Add(block, labels.Count + 1);

        for (int i = 0; i < blocks.Count; i++)
        {
            Block block = blocks[i];
            if (labels.TryGetValue(block, out int label))
            {
                Text($"$L{label}:");
                Text(block.LoopSite is null ? "\n" : $" // loop: {describe(block.LoopSite)}\n");
            }

            foreach (Instruction instruction in block.Code)
                Print(instruction);

            PrintExit(block, i + 1 < blocks.Count ? blocks[i + 1] : null, labels);
        }

        string instructions = _text.ToString();
        _text.Clear();
        for (int i = 0; i < s_prefixes.Length; i++)
        {
            if (_counts[i] > 0)
            {
                Text($"    .reg {s_types[i]} {s_prefixes[i]}<{_counts[i] + 1}>;\n");
            }
        }

        return _text.Append(instructions).ToString();
    }

    private static IEnumerable<Block> Labelled(Block block, Block? next)
    {
        if (block.Exit is Exit.Jump or Exit.Branch && block.Target != next)
        {
            yield return block.Target!;
        }

        if (block.Exit == Exit.Branch && block.Otherwise != next)
        {
            yield return block.Otherwise!;
        }
    }

    private void Text(string text) => _text.Append(text);

    private void PrintExit(Block block, Block? next, Dictionary<Block, int> labels)
    {
        switch (block.Exit)
        {
            case Exit.Return:
                Text("    ret;\n");
                return;
            case Exit.Trap:
                Text("    trap;\n");
                return;
            case Exit.Jump:
                if (block.Target != next)
                {
                    Text($"    bra $L{labels[block.Target!]};\n");
                }

                return;
        }

        bool negated = block.Condition.Kind == OperandKind.NotRegister;
        string predicate = NameOf(block.Condition.Register);
        if (block.Target != next)
        {
            Text($"    @{(negated ? "!" : "")}{predicate} bra $L{labels[block.Target!]};\n");
            if (block.Otherwise != next)
            {
                Text($"    bra $L{labels[block.Otherwise!]};\n");
            }
        }
        else
        {
            Text($"    @{(negated ? "" : "!")}{predicate} bra $L{labels[block.Otherwise!]};\n");
        }
    }

    private void Print(Instruction instruction)
    {
        Text("    ");
        if (instruction.Mnemonic.Contains('$'))
        {
            PrintTemplate(instruction);
            Text(";\n");
            return;
        }

        Text(instruction.Mnemonic);
        int total = instruction.Results.Length + instruction.Operands.Length - instruction.Tied;
        int next = 0;
        for (int group = 0; next < total; group++)
        {
            int size = instruction.Groups is { } groups && group < groups.Length ? groups[group] : 1;
            Text(next == 0 ? " " : ", ");
            Text(size > 1 ? "{" : "");
            for (int i = 0; i < size; i++)
            {
                Text(i == 0 ? "" : ", ");
                PrintItem(instruction, next++);
            }

            Text(size > 1 ? "}" : "");
        }

        Text(";\n");
    }

    private void PrintItem(Instruction instruction, int item)
    {
        if (item < instruction.Results.Length)
        {
            Text(NameOf(instruction.Results[item]));
        }
        else
        {
            Print(instruction.Operands[item - instruction.Results.Length]);
        }
    }

    private void PrintTemplate(Instruction instruction)
    {
        string text = instruction.Mnemonic;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '$' || i + 1 == text.Length || !char.IsAsciiDigit(text[i + 1]))
            {
                _text.Append(text[i]);
                continue;
            }

            int item = 0;
            while (i + 1 < text.Length && char.IsAsciiDigit(text[i + 1]))
                item = (item * 10) + (text[++i] - '0');

            PrintItem(instruction, item);
        }
    }

    private void Print(in Operand operand)
    {
        switch (operand.Kind)
        {
            case OperandKind.Register:
                Text(NameOf(operand.Register));
                return;
            case OperandKind.NotRegister:
                Text("!");
                Text(NameOf(operand.Register));
                return;
            case OperandKind.Integer:
                _text.Append(CultureInfo.InvariantCulture, $"{operand.Bits}");
                return;
            case OperandKind.Float32:
                _text.Append(CultureInfo.InvariantCulture, $"0f{(uint)operand.Bits:X8}");
                return;
            case OperandKind.Float64:
                _text.Append(CultureInfo.InvariantCulture, $"0d{(ulong)operand.Bits:X16}");
                return;
            case OperandKind.Name:
                Text(operand.Name!);
                return;
            case OperandKind.Address or OperandKind.NameAddress:
                Text("[");
                Text(operand.Kind == OperandKind.Address ? NameOf(operand.Register) : operand.Name!);
                if (operand.Bits != 0)
                {
                    // PTX writes a negative displacement as +-n.
                    _text.Append(CultureInfo.InvariantCulture, $"+{operand.Bits}");
                }

                Text("]");
                return;
            default:
                throw new InvalidOperationException("an operand without a value");
        }
    }

    private string NameOf(int register)
    {
        int kind = (int)code.KindOf(register);
        if (_names[register] == 0)
        {
            _names[register] = ++_counts[kind];
        }

        return string.Create(CultureInfo.InvariantCulture, $"{s_prefixes[kind]}{_names[register]}");
    }
}
