namespace LinearCald.Gpu.Frontend.Il;

/// <summary>A natural loop: all blocks from which one of the header's back edges is reached without passing through the header.</summary>
internal sealed class IlLoop
{
    /// <summary>The only block through which the loop is entered.</summary>
    public required IlBlock Header { get; init; }

    /// <summary>Header included, inner loops included.</summary>
    public required IReadOnlySet<IlBlock> Blocks { get; init; }

    /// <summary>The smallest loop around this one.</summary>
    public IlLoop? Parent { get; internal set; }
}
