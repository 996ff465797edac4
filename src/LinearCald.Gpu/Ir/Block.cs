namespace LinearCald.Gpu.Ir;

internal enum Exit : byte
{
    /// <summary>Still being written.</summary>
    Open,
    Jump,
    Branch,
    Return,
    Trap,
}

/// <summary>
/// Straight-line code with one way in and one exit. Values that differ by path arrive as parameters (static single assignment with block parameters);
/// only jumps carry arguments, and both targets of a branch have no other way in.
/// </summary>
internal sealed class Block
{
    private readonly Block? _skip;

    public Block(int index, Block? dominator)
    {
        Index = index;
        Dominator = dominator;
        if (dominator is not null)
        {
            Depth = dominator.Depth + 1;
            // Skew-binary skip pointers: ancestor queries in logarithmic time.
            Block? skip = dominator._skip;
            _skip = skip is { _skip: not null } && dominator.Depth - skip.Depth == skip.Depth - skip._skip.Depth ? skip._skip : dominator;
        }
    }

    public int Index { get; }

    /// <summary>The nearest block that every path to this one passes.</summary>
    public Block? Dominator { get; }

    public int Depth { get; }

    /// <summary>The block whose branch made this one, if a branch did.</summary>
    public Block? ForkedFrom { get; init; }

    /// <summary>Where the loop stands that this block heads, if it heads one; for listings.</summary>
    public object? LoopSite { get; set; }

    public List<Instruction> Code { get; } = [];

    public List<int> Parameters { get; } = [];

    public Exit Exit { get; set; }

    /// <summary>Of a branch.</summary>
    public Operand Condition { get; set; }

    /// <summary>Of a jump; of a branch when the condition holds.</summary>
    public Block? Target { get; set; }

    /// <summary>Of a branch when the condition does not hold.</summary>
    public Block? Otherwise { get; set; }

    /// <summary>Of a jump: a value for each parameter of the target.</summary>
    public List<Operand> Arguments { get; } = [];

    public bool Dominates(Block other)
    {
        Block? b = other;
        while (b is not null && b.Depth > Depth)
        {
            b = b._skip is not null && b._skip.Depth >= Depth ? b._skip : b.Dominator;
        }

        return ReferenceEquals(b, this);
    }

    /// <summary>The deepest block that dominates both.</summary>
    public static Block Common(Block a, Block b)
    {
        while (a.Depth > b.Depth)
        {
            a = a._skip is not null && a._skip.Depth >= b.Depth ? a._skip : a.Dominator!;
        }

        while (b.Depth > a.Depth)
        {
            b = b._skip is not null && b._skip.Depth >= a.Depth ? b._skip : b.Dominator!;
        }

        while (!ReferenceEquals(a, b))
        {
            bool skip = a._skip is not null && !ReferenceEquals(a._skip, b._skip);
            a = skip ? a._skip! : a.Dominator!;
            b = skip ? b._skip! : b.Dominator!;
        }

        return a;
    }

    public void Jump(Block target)
    {
        Exit = Exit.Jump;
        Target = target;
    }

    public void Branch(Operand condition, Block target, Block otherwise)
    {
        Exit = Exit.Branch;
        Condition = condition;
        Target = target;
        Otherwise = otherwise;
    }

    public void Reopen()
    {
        Exit = Exit.Open;
        Condition = default; // its register may be taken back too
        Target = null;
        Otherwise = null;
        Arguments.Clear();
    }
}
