using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>What a group of threads works on: a block of features of one head of one row, and of that row one segment or all of it.</summary>
internal readonly struct SsdPlace
{
    /// <summary>Grid: blocks · heads · rows · turns, blocks fastest.</summary>
    public SsdPlace(SsdSizes sizes, SsdTraits traits)
    {
        int teams = sizes.Teams;
        Turn = traits.IsCut ? Grid.IndexX / teams : 0;
        Team = Grid.IndexX - (Turn * teams);
        Block = Team % sizes.Blocks;
        BatchHead = (sizes.FirstBatch * sizes.Heads) + (Team / sizes.Blocks);
        Head = BatchHead % sizes.Heads;
        Batch = BatchHead / sizes.Heads;
    }

    /// <summary>Place of the segment in the order in which the pass goes through a row: from the first segment on, or from the last one back.</summary>
    public int Turn { get; }

    /// <summary>Number of block, head and row among those of the launch.</summary>
    public int Team { get; }

    /// <summary>Block of features.</summary>
    public int Block { get; }

    /// <summary>Head of all rows.</summary>
    public int BatchHead { get; }

    /// <summary>Head of the row.</summary>
    public int Head { get; }

    /// <summary>Row of the batch.</summary>
    public int Batch { get; }
}
