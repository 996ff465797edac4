namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// One unit of work of <see cref="WarpgroupGemm"/>: a block of C, or one part along k of it. Products of a stack come one after the other, in them parts of all blocks, in these blocks in
/// <see cref="TileOrder"/>.
/// </summary>
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

    /// <summary>Which product of the stack.</summary>
    public readonly int Product;

    /// <summary>Where the product's results begin in C, or those of its part in the workspace.</summary>
    public readonly long Start;

    private WarpgroupItem(int index, int product, long start, int tilesM, int tilesN, int firstK, int length, GemmTile tile, int depth)
    {
        TileOrder block = new(index, tilesM, tilesN);
        FirstRow = block.Row * tile.M;
        FirstColumn = block.Column * tile.N;
        FirstK = firstK;
        Blocks = (int)((uint)(length + depth - 1) / (uint)depth);
        Product = product;
        Start = start;
    }

    /// <summary>Item <paramref name="index"/> of TilesM · TilesN · Parts · Products.</summary>
    /// <param name="depth">Elements of k in a block; known to the compiler.</param>
    public static WarpgroupItem Of<TWord>(int index, GemmArguments<TWord> arguments, GemmVariant variant, int depth)
        where TWord : unmanaged
    {
        int tiles = arguments.TilesM * arguments.TilesN, product = 0;
        if (variant.Output.Stacked)
        {
            int each = variant.Output.Partial ? tiles * arguments.Parts : tiles;
            product = (int)((uint)index / (uint)each);
            index -= product * each;
        }

        if (!variant.Output.Partial)
        {
            return new WarpgroupItem(
                index, product, variant.Output.Stacked ? product * arguments.StrideC : 0, arguments.TilesM, arguments.TilesN, 0, arguments.K, variant.Tile, depth);
        }

        int part = (int)((uint)index / (uint)tiles);
        int firstK = part * arguments.PartK;
        long before = variant.Output.Stacked ? ((long)part * arguments.Products) + product : part;
        return new WarpgroupItem(
            index - (part * tiles), product, before * arguments.WorkspacePitch * arguments.M, arguments.TilesM, arguments.TilesN, firstK, Math.Min(arguments.K - firstK, arguments.PartK),
            variant.Tile, depth);
    }
}
