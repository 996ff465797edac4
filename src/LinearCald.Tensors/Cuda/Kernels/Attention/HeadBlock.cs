using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>The block of rows of a head that a group of an attention kernel owns. Grid: blocks of rows · heads · samples, blocks fastest.</summary>
internal struct HeadBlock
{
    /// <summary>The head among those of all samples.</summary>
    public int BatchHead;

    public int Sample;

    public int Head;

    /// <summary>The first row of the block.</summary>
    public int First;

    /// <summary>The group's own.</summary>
    /// <param name="length">Rows of a sample.</param>
    /// <param name="rows">Rows of a block.</param>
    /// <param name="heads">Heads of a sample.</param>
    /// <param name="backwards">Whether the last rows start first.</param>
    public static HeadBlock Of(int length, int rows, int heads, bool backwards)
    {
        int blocks = (length + rows - 1) / rows, batchHead = Grid.IndexX / blocks, block = Grid.IndexX % blocks;
        return new HeadBlock { First = (backwards ? blocks - 1 - block : block) * rows, BatchHead = batchHead, Sample = batchHead / heads, Head = batchHead % heads };
    }
}
