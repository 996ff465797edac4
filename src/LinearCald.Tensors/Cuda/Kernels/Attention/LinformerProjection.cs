using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Slots of every sample from its n valid positions: slots[b] = projection[0:n]ᵀ x[b, 0:n] / √n; 0 for an empty sample.
/// Floor: 2 · n · Rank · Width operations a sample.
/// </summary>
internal static class LinformerProjection
{
    /// <summary>Grid: blocks of 64 columns · blocks of 64 slots · samples, columns fastest.</summary>
    [Kernel(Name = "linformer_projection")]
    public static void Run<TProduct, T>(
        ReadOnlyView<T> x, ReadOnlyView<T> projection, ReadOnlyView<int> lengths, View<T> slots, LinformerSizes sizes, [Constant] LinformerTraits traits)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
    {
        const int Side = LinformerTile.Side;
        int stride = Side + TProduct.Padding, size = Side * stride;
        Shared<T> left = Shared.Allocate<T>(2 * size), right = Shared.Allocate<T>(2 * size);
        int columnBlocks = (sizes.Width + Side - 1) / Side, slotBlocks = (sizes.Rank + Side - 1) / Side;
        int column = Grid.IndexX % columnBlocks * Side, slot = Grid.IndexX / columnBlocks % slotBlocks * Side, sample = Grid.IndexX / columnBlocks / slotBlocks;
        int length = sizes.LengthOf(lengths, sample, traits.HasLengths), steps = (length + Side - 1) / Side;
        ReadOnlyView<T> rows = x.From(((long)sample * sizes.Length * sizes.Width) + column), factors = projection.From(slot);

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
            if (next < length)
            {
                Tile.Load(left.From(stage), stride, Side, Side, factors.From((long)next * sizes.Rank), sizes.Rank, length - next, sizes.Rank - slot, traits.Vectors);
                Tile.Load(right.From(stage), stride, Side, Side, rows.From((long)next * sizes.Width), sizes.Width, length - next, sizes.Width - column, traits.Vectors);
                AsyncCopy.Commit();
            }

            if (step >= 0)
            {
                int now = (step & 1) * size;
                TProduct.ColumnsByColumns(ref sum, left.From(now + LinformerTile.WarpRow), right.From(now + LinformerTile.WarpColumn), Side, stride, stride);
            }
        }

        Registers<Float4, Times<N2, N4>> result = default;
        result.Fill(default);
        LinformerTile.Add(ref result, ref sum, LinformerTile.Factor(length));
        int warpSlot = slot + LinformerTile.WarpRow, warpColumn = column + LinformerTile.WarpColumn;
        Tile.Store<TProduct, T, N2, N4>(
            ref result, slots.From(((((long)sample * sizes.Rank) + warpSlot) * sizes.Width) + warpColumn), sizes.Width, sizes.Rank - warpSlot, sizes.Width - warpColumn, traits.Vectors);
    }
}
