using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Gradient of a projection: Σ over samples b with more than t positions of x[b, t] gslots[b]ᵀ / √n_b. Samples are cut into runs, of which each gives a part
/// [Length, Rank]; <see cref="Sum"/> adds the parts in order, so that the result has the same bits every time.
/// Floor: 2 · n · Rank · Width operations a sample.
/// </summary>
internal static class LinformerProjectionGradient
{
    /// <summary>parts[firstPart + run] from the samples of a run. Grid: blocks of 64 slots · blocks of 64 positions · runs, slots fastest.</summary>
    [Kernel(Name = "linformer_projection_gradient")]
    public static void Run<TProduct, T>(
        ReadOnlyView<T> x, ReadOnlyView<T> gslots, ReadOnlyView<int> lengths, View<float> parts, int firstPart, int runs, LinformerSizes sizes, [Constant] LinformerTraits traits)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
    {
        const int Side = LinformerTile.Side;
        int stride = Side + TProduct.Padding, size = Side * stride;
        Shared<T> left = Shared.Allocate<T>(2 * size), right = Shared.Allocate<T>(2 * size);
        int slotBlocks = (sizes.Rank + Side - 1) / Side, positionBlocks = (sizes.Length + Side - 1) / Side;
        int slot = Grid.IndexX % slotBlocks * Side, position = Grid.IndexX / slotBlocks % positionBlocks * Side, run = Grid.IndexX / slotBlocks / positionBlocks;
        int firstSample = (int)((long)sizes.Batch * run / runs), endSample = (int)((long)sizes.Batch * (run + 1) / runs);
        int perSample = (sizes.Width + Side - 1) / Side;

        Registers<Float4, Times<N2, N4>> sum = default;
        sum.Fill(default);
        for (int sample = firstSample; sample < endSample; sample++)
        {
            Loop.Keep();
            int length = sizes.LengthOf(lengths, sample, traits.HasLengths), steps = position < length ? perSample : 0;
            ReadOnlyView<T> rows = x.From((((long)sample * sizes.Length) + position) * sizes.Width), columns = gslots.From((((long)sample * sizes.Rank) + slot) * sizes.Width);
            Registers<Float4, Times<N2, N4>> part = default;
            part.Fill(default);
            for (int step = -1; step < steps; step++)
            {
                Loop.Keep();
                if (step >= 0)
                {
                    AsyncCopy.Wait(0);
                }

                // also parts this sample's first tiles from the last sample's
                Group.Barrier();
                int next = (step + 1) * Side, stage = (~step & 1) * size;
                if (step + 1 < steps)
                {
                    Tile.Load(left.From(stage), stride, Side, Side, rows.From(next), sizes.Width, length - position, sizes.Width - next, traits.Vectors);
                    Tile.Load(right.From(stage), stride, Side, Side, columns.From(next), sizes.Width, sizes.Rank - slot, sizes.Width - next, traits.Vectors);
                    AsyncCopy.Commit();
                }

                if (step >= 0)
                {
                    int now = (step & 1) * size;
                    TProduct.RowsByRows(ref part, left.From(now + (LinformerTile.WarpRow * stride)), right.From(now + (LinformerTile.WarpColumn * stride)), Side, stride);
                }
            }

            LinformerTile.Add(ref sum, ref part, LinformerTile.Factor(length));
        }

        int warpPosition = position + LinformerTile.WarpRow, warpSlot = slot + LinformerTile.WarpColumn;
        Tile.Store<FmaProduct, float, N2, N4>(
            ref sum, parts.From(((((long)(firstPart + run) * sizes.Length) + warpPosition) * sizes.Rank) + warpSlot), sizes.Rank, sizes.Length - warpPosition, sizes.Rank - warpSlot, traits.Vectors);
    }

    /// <summary>gradient (+)= the parts in order; one thread an element of [positions, rank], which is 0 beyond the parts.</summary>
    [Kernel(Name = "linformer_projection_gradient_sum")]
    public static void Sum<TProduct, T>(ReadOnlyView<float> parts, int count, int partSize, View<T> gradient, int gradientSize, [Constant] bool accumulate)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
    {
        int i = Grid.ThreadX;
        if (i >= gradientSize)
        {
            return;
        }

        float sum = 0;
        if (i < partSize)
        {
            for (int part = 0; part < count; part++)
            {
                Loop.Keep();
                sum += parts[((long)part * partSize) + i];
            }
        }

        gradient[i] = TProduct.Narrow(accumulate ? TProduct.Widen(gradient[i]) + sum : sum);
    }
}
