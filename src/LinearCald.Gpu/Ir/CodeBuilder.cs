namespace LinearCald.Gpu.Ir;

/// <summary>What is known of a register besides its class.</summary>
/// <param name="Kind">Its class.</param>
/// <param name="Minimum">Of a 32-bit register read as signed: least value.</param>
/// <param name="Maximum">Greatest value.</param>
/// <param name="Choice">If it holds one of two constants: which.</param>
internal readonly record struct RegisterFacts(RegisterKind Kind, int Minimum, int Maximum, Choice? Choice = null);

/// <summary>One of two integers; 32-bit ones sign-extended.</summary>
/// <param name="Predicate">The register that decides.</param>
/// <param name="WhenTrue">The value if it is true.</param>
/// <param name="WhenFalse">The value if it is false.</param>
internal sealed record Choice(int Predicate, long WhenTrue, long WhenFalse);

/// <summary>The code under construction: blocks, registers, value numbers. Everything since a mark can be taken back.</summary>
internal sealed class CodeBuilder
{
    private readonly List<RegisterFacts> _registers = [];
    private readonly List<Block> _blocks = [];
    private readonly ValueNumbering _numbers = new();

    public CodeBuilder()
    {
        Entry = NewBlock(null);
        Current = Entry;
    }

    public Block Entry { get; }

    /// <summary>Where instructions go.</summary>
    public Block Current { get; set; }

    public IReadOnlyList<Block> Blocks => _blocks;

    public int RegisterCount => _registers.Count;

    /// <summary>Instructions issued and not taken back.</summary>
    public int Issued { get; private set; }

    /// <summary>Bytes of shared memory laid out so far.</summary>
    public int SharedBytes { get; set; }

    /// <summary>Tables in constant memory by name. A trial that is taken back may leave one that nothing reads.</summary>
    public List<ConstantTable> Tables { get; } = [];

    /// <summary>Strictest alignment of a shared buffer.</summary>
    public int SharedAlignment { get; set; } = 16;

    public RegisterFacts Facts(int register) => _registers[register];

    public RegisterKind KindOf(int register) => _registers[register].Kind;

    /// <summary>Notes that a register holds one of two constants.</summary>
    public void Note(int register, Choice choice) => _registers[register] = _registers[register] with { Choice = choice };

    /// <summary>The symbol of a table.</summary>
    public string NameOf(ConstantTable table)
    {
        int index = Tables.IndexOf(table);
        if (index < 0)
        {
            index = Tables.Count;
            Tables.Add(table);
        }

        return $"table_{index}";
    }

    public Block NewBlock(Block? dominator, bool forked = false)
    {
        Block block = new(_blocks.Count, dominator) { ForkedFrom = forked ? dominator : null };
        _blocks.Add(block);
        return block;
    }

    /// <summary>Ends the current block with a branch to two new ones.</summary>
    public (Block Then, Block Else) Fork(Operand condition)
    {
        Block then = NewBlock(Current, true);
        Block otherwise = NewBlock(Current, true);
        Current.Branch(condition, then, otherwise);
        return (then, otherwise);
    }

    /// <summary>Moves the code of a block to the end of the current one, where it is known from then on.</summary>
    public void Adopt(Block block)
    {
        foreach (Instruction instruction in block.Code)
        {
            Current.Code.Add(instruction);
            if ((instruction.Flags & InstructionFlags.Numbered) != 0)
            {
                _numbers.Add(instruction.Mnemonic, instruction.Operands, Current, instruction.Results[0]);
            }
        }
    }

    public int NewRegister(RegisterKind kind, int minimum = int.MinValue, int maximum = int.MaxValue)
    {
        _registers.Add(new RegisterFacts(kind, minimum, maximum));
        return _registers.Count - 1;
    }

    /// <summary>
    /// Issues an instruction with <paramref name="count"/> results of one kind, or finds the equal one that was issued before. Returns the first result;
    /// the others follow it.
    /// </summary>
    public int Issue(
        string mnemonic,
        RegisterKind kind,
        InstructionFlags flags,
        ReadOnlySpan<Operand> operands,
        int minimum = int.MinValue,
        int maximum = int.MaxValue,
        int count = 1,
        byte[]? groups = null,
        object? site = null,
        int tied = 0)
    {
        bool numbered = (flags & InstructionFlags.Numbered) != 0;
        if (numbered)
        {
            int found = _numbers.Find(mnemonic, operands, Current);
            if (found >= 0)
            {
                return found;
            }
        }

        int first = _registers.Count;
        int[] results = count == 0 ? [] : new int[count];
        for (int i = 0; i < count; i++)
        {
            results[i] = NewRegister(kind, minimum, maximum);
        }

        Operand[] copy = operands.ToArray();
        Append(new Instruction { Mnemonic = mnemonic, Results = results, Operands = copy, Groups = groups, Flags = flags, Site = site, Tied = tied });
        if (numbered)
        {
            _numbers.Add(mnemonic, copy, Current, first);
        }

        return first;
    }

    public void Append(Instruction instruction)
    {
        Current.Code.Add(instruction);
        Issued++;
    }

    public Mark Save() => new(Current, Current.Code.Count, _blocks.Count, _registers.Count, _numbers.Count, Issued, SharedBytes, SharedAlignment);

    public void Rollback(in Mark mark)
    {
        Current = mark.Block;
        Current.Reopen();
        Current.Code.RemoveRange(mark.Instructions, Current.Code.Count - mark.Instructions);
        _blocks.RemoveRange(mark.Blocks, _blocks.Count - mark.Blocks);
        _registers.RemoveRange(mark.Registers, _registers.Count - mark.Registers);
        _numbers.Rollback(mark.Numbers);
        Issued = mark.Issued;
        SharedBytes = mark.SharedBytes;
        SharedAlignment = mark.SharedAlignment;
    }

    internal readonly record struct Mark(Block Block, int Instructions, int Blocks, int Registers, int Numbers, int Issued, int SharedBytes, int SharedAlignment);
}
