namespace LinearCald.Gpu.Frontend.Il;

/// <summary>Instructions that run one after the other: entered at the first only, left at the last only.</summary>
internal sealed class IlBlock
{
    /// <summary>Position in <see cref="IlMethod.Blocks"/>.</summary>
    public int Index { get; internal set; }

    /// <summary>At least one.</summary>
    public IReadOnlyList<IlInstruction> Instructions { get; internal set; } = [];

    /// <summary>The branch target and then the fall-through; for a switch its cases and then the fall-through; none after <c>ret</c> and <c>throw</c>.</summary>
    public IReadOnlyList<IlBlock> Successors { get; internal set; } = [];

    /// <summary>Blocks from which this one is reached, each once.</summary>
    public IReadOnlyList<IlBlock> Predecessors { get; internal set; } = [];

    /// <summary>Whether every path from here ends in <c>throw</c> or in the call of a method that never returns.</summary>
    public bool OnlyThrows { get; internal set; }

    /// <summary>The innermost loop that contains this block.</summary>
    public IlLoop? Loop { get; internal set; }

    /// <summary>Whether a loop starts here; <see cref="Loop"/> is then that loop.</summary>
    public bool IsLoopHeader => Loop?.Header == this;

    /// <summary>
    /// Per local: whether its value on entry may still be read. Locals whose address is taken count as live everywhere; what only
    /// <see cref="OnlyThrows"/> blocks read does not count.
    /// </summary>
    public bool[] LiveLocalsIn { get; internal set; } = [];

    /// <summary>Offset of the first instruction.</summary>
    public int Offset => Instructions[0].Offset;

    public override string ToString() => $"block {Index} at IL_{Offset:x4}";
}
