using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// The first pass over rows that are cut into segments: what each segment but the last brings into the state behind it, H ← exp(s_last) H + Σ_j B_jᵀ exp(s_last − s_j) Δ_j x_j
/// from H = 0, and its decay; or the same of the gradient of the state, from the last segment back: dH ← exp(s_last) dH + Σ_i C_iᵀ exp(s_i) dy_i.
/// </summary>
/// <remarks>Floor a step and head: 2 N P operations; the bytes of x and, once a block, b.</remarks>
internal static class SsdEndsKernel
{
    /// <summary>Grid, group and types as <see cref="SsdForwardKernel.Run"/>, with one turn less.</summary>
    /// <param name="gy">Gradient of y, for the gradient of the state; else not read.</param>
    /// <param name="adjoint">Whether it is about the gradient of the state.</param>
    [Kernel(Name = "ssd_ends")]
    public static void Run<TProduct, T, TS, TP>(SsdInputs<T> inputs, ReadOnlyView<T> gy, SsdCarry carry, SsdSizes sizes, [Constant] SsdTraits traits, [Constant] bool adjoint)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TS : struct, ICount
        where TP : struct, ICount
    {
        const int Q = SsdSizes.Chunk;
        int states = 64 * TS.Value, columns = 8 * TP.Value, wide = states + TProduct.Padding, narrow = columns + TProduct.Padding;
        Shared<T> wideTiles = Shared.Allocate<T>(2 * Q * wide), narrowTiles = Shared.Allocate<T>(2 * Q * narrow);
        SsdDecays bothDecays = SsdDecays.Allocate(2);

        SsdPlace place = new(sizes, traits);
        int column = place.Block * columns, validColumns = traits.HeadSize % columns == 0 ? columns : Math.Min(columns, traits.HeadSize - column);
        SsdPath path = sizes.Path(inputs.Lengths, place.Batch, traits);
        SsdStreams<T> streams = new(path, place.Head, column, sizes, traits);
        float a = inputs.A[place.Head], bias = traits.HasBias ? inputs.DeltaBias[place.Head] : 0f, decay = 1f;
        int segment = adjoint ? sizes.Segments - 1 - place.Turn : place.Turn, begin = path.FirstChunk(segment, sizes), count = path.FirstChunk(segment + 1, sizes) - begin;

        // step 0 of the chunk that comes first, and how far on the next one is
        int firstStep = (adjoint ? begin + count - 1 : begin) * Q, advance = adjoint ? -Q : Q;

        Registers<Float4, Times<TS, TP>> state = default;
        state.Fill(default);
        SsdRawDeltas raw = default;
        if (count > 0)
        {
            Load(wideTiles, narrowTiles, streams, inputs, gy, firstStep, states, columns, wide, narrow, validColumns, sizes, traits, adjoint);
            raw = SsdRawDeltas.Read<TProduct, T>(inputs.Delta, inputs.Sequences, path, firstStep, place.Head, sizes, traits);
        }

        AsyncCopy.Commit();
        for (int k = 0; k < count; k++)
        {
            Loop.Keep();
            int now = k & 1, next = ~k & 1;
            SsdDecays decays = bothDecays.Copy(now);
            Shared<T> wideTile = wideTiles.From(now * Q * wide), narrowTile = narrowTiles.From(now * Q * narrow);
            if (Warp.Index == 0)
            {
                decays.Compute(raw, path.Steps - firstStep, bias, a, sizes, traits);
            }

            AsyncCopy.Wait(0);

            // tiles and decays are there, and every thread has left the product of the chunk before
            Group.Barrier();
            firstStep += advance;
            if (k + 1 < count)
            {
                Load(
                    wideTiles.From(next * Q * wide), narrowTiles.From(next * Q * narrow), streams, inputs, gy, firstStep, states, columns, wide, narrow, validColumns, sizes, traits, adjoint);
                AsyncCopy.Commit();
                raw = SsdRawDeltas.Read<TProduct, T>(inputs.Delta, inputs.Sequences, path, firstStep, place.Head, sizes, traits);
            }

            ScaleTile<TProduct, T, TP>(narrowTile, narrow, decays, adjoint);
            float total = decays.Total[0];
            decay *= total;
            SsdStates.Scale(ref state, total);

            // all scaled rows are there
            Group.Barrier();
            TProduct.ColumnsByColumns(ref state, wideTile.From(16 * TS.Value * Warp.Index), narrowTile, Q, wide, narrow);
        }

        carry.Leave(ref state, decay, place.Team, place.Turn, sizes);
    }

    private static void Load<T>(
        Shared<T> wideTile, Shared<T> narrowTile, SsdStreams<T> streams, SsdInputs<T> inputs, ReadOnlyView<T> gy, int step, int states, int columns, int wide, int narrow, int validColumns, SsdSizes sizes,
        SsdTraits traits, bool adjoint)
        where T : unmanaged
    {
        if (adjoint)
        {
            streams.LoadC(wideTile, wide, states, inputs.C, step, traits);
            streams.LoadFeatures(narrowTile, narrow, columns, gy, sizes.YPitch, step, validColumns, traits);
        }
        else
        {
            streams.LoadB(wideTile, wide, states, inputs.B, step, traits);
            streams.LoadX(narrowTile, narrow, columns, inputs.X, step, validColumns, traits);
        }
    }

    // the warp's rows of exp(s_last − s_j) Δ_j x_j, or of exp(s_i) dy_i, in place
    private static void ScaleTile<TProduct, T, TP>(Shared<T> tile, int stride, SsdDecays decays, bool adjoint)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TP : struct, ICount
    {
        int row = (16 * Warp.Index) + (Warp.Lane >> 2), at = (row * stride) + ((Warp.Lane & 3) * 2);
        float upper = adjoint ? decays.Entry[row] : decays.Exit[row] * decays.Delta[row], lower = adjoint ? decays.Entry[row + 8] : decays.Exit[row + 8] * decays.Delta[row + 8];
        for (int n = 0; n < TP.Value; n++)
        {
            int first = at + (8 * n), second = first + (8 * stride);
            Float2 u = TProduct.ReadPair(tile, first), l = TProduct.ReadPair(tile, second);
            TProduct.WritePair(tile, first, u.X * upper, u.Y * upper);
            TProduct.WritePair(tile, second, l.X * lower, l.Y * lower);
        }
    }
}
