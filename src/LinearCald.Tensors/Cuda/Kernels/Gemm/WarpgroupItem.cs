namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>One unit of work of <see cref="WarpgroupGemm"/>: a block of C, or one part along k of it. Parts of all blocks come one after the other, blocks in <see cref="TileOrder"/>.</summary>
internal readonly struct WarpgroupItem
{
    /// <summary>First row of the block.</summary>
    public readonly int FirstRow;

    /// <summary>First column of the block.</summary>
    public readonly int FirstColumn;

    /// <summary>Where the sums begin.</summary>
    public readonly int FirstK;

    /// <summary>Blocks of k in the sums, at least one.</summary>
    public readonly int Blocks;

    /// <summary>Which of the parts along k.</summary>
    public readonly int Part;

    private WarpgroupItem(int index, int part, int tilesM, int tilesN, int firstK, int length, GemmTile tile, int depth)
    {
        TileOrder block = new(index, tilesM, tilesN);
        FirstRow = block.Row * tile.M;
        FirstColumn = block.Column * tile.N;
        FirstK = firstK;
        Blocks = (int)((uint)(length + depth - 1) / (uint)depth);
        Part = part;
    }

    /// <summary>Item <paramref name="index"/> of TilesM · TilesN · Parts.</summary>
    /// <param name="depth">Elements of k in a block; known to the compiler.</param>
    public static WarpgroupItem Of<TWord>(int index, GemmArguments<TWord> arguments, GemmVariant variant, int depth)
        where TWord : unmanaged
    {
        if (!variant.Output.Partial)
        {
            return new WarpgroupItem(index, 0, arguments.TilesM, arguments.TilesN, 0, arguments.K, variant.Tile, depth);
        }

        int tiles = arguments.TilesM * arguments.TilesN;
        int part = (int)((uint)index / (uint)tiles);
        int firstK = part * arguments.PartK;
        return new WarpgroupItem(
            index - (part * tiles), part, arguments.TilesM, arguments.TilesN, firstK, Math.Min(arguments.K - firstK, arguments.PartK), variant.Tile, depth);
    }
}
