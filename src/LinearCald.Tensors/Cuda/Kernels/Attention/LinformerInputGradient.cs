using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Gradient of keys or values from that of their slots: gx[b, t] = projection[t] gslots[b] / √n for t below the sample's n valid positions, 0 from there on.
/// Floor: 2 · n · Rank · Width operations a sample.
/// </summary>
internal static class LinformerInputGradient
{
    /// <summary>Grid: blocks of 64 columns · blocks of 64 positions · samples, columns fastest.</summary>
    [Kernel(Name = "linformer_input_gradient")]
    public static void Run<TProduct, T>(
        ReadOnlyView<T> gslots, ReadOnlyView<T> projection, ReadOnlyView<int> lengths, View<T> gx, LinformerSizes sizes, [Constant] LinformerTraits traits)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
    {
        const int Side = LinformerTile.Side;
        int stride = Side + TProduct.Padding, size = Side * stride;
        Shared<T> left = Shared.Allocate<T>(2 * size), right = Shared.Allocate<T>(2 * size);
        int columnBlocks = (sizes.Width + Side - 1) / Side, positionBlocks = (sizes.Length + Side - 1) / Side;
        int column = Grid.IndexX % columnBlocks * Side, position = Grid.IndexX / columnBlocks % positionBlocks * Side, sample = Grid.IndexX / columnBlocks / positionBlocks;
        int length = sizes.LengthOf(lengths, sample, traits.HasLengths), steps = position < length ? (sizes.Rank + Side - 1) / Side : 0;
        ReadOnlyView<T> rows = gslots.From(((long)sample * sizes.Rank * sizes.Width) + column), factors = projection.From((long)position * sizes.Rank);

        Registers<Float4, Times<N2, N4>> sum = default;
        sum.Fill(default);
        for (int step = -1; step < steps; step++)
        {
            Loop.Keep();
            if (step >= 0)
            {
                AsyncCopy.Wait(0);
                Group.Barrier();
            }

            int next = (step + 1) * Side, stage = (~step & 1) * size;
            if (step + 1 < steps)
            {
                Tile.Load(left.From(stage), stride, Side, Side, factors.From(next), sizes.Rank, length - position, sizes.Rank - next, traits.Vectors);
                Tile.Load(right.From(stage), stride, Side, Side, rows.From((long)next * sizes.Width), sizes.Width, sizes.Rank - next, sizes.Width - column, traits.Vectors);
                AsyncCopy.Commit();
            }

            if (step >= 0)
            {
                int now = (step & 1) * size;
                TProduct.RowsByColumns(ref sum, left.From(now + (LinformerTile.WarpRow * stride)), right.From(now + LinformerTile.WarpColumn), Side, stride, stride);
            }
        }

        Registers<Float4, Times<N2, N4>> result = default;
        result.Fill(default);
        LinformerTile.Add(ref result, ref sum, LinformerTile.Factor(length));
        int warpPosition = position + LinformerTile.WarpRow, warpColumn = column + LinformerTile.WarpColumn;
        Tile.Store<TProduct, T, N2, N4>(
            ref result, gx.From(((((long)sample * sizes.Length) + warpPosition) * sizes.Width) + warpColumn), sizes.Width, sizes.Length - warpPosition, sizes.Width - warpColumn, traits.Vectors);
    }
}
