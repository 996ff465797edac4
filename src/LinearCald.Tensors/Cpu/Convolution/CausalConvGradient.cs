using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// The gradients of <see cref="CausalConv"/>: g = gy · f′(p) with p computed again, dx[t] = Σ over j of w[j] · g[t + K − 1 − j], dw[j] = Σ over t of
/// g[t] · x[t − K + 1 + j], dbias = Σ g. A tile of 32 rows and 128 channels keeps its x and its g (and the K − 1 rows of g after it) in the first-level
/// cache for all uses. Parameter gradients are gathered in at most 64 partial sums, which are added in order. Floor: a read of x and gy, a write of dx.
/// </summary>
internal static unsafe class CausalConvGradient
{
    private const int TileRows = 32;
    private const int TileChannels = 128;
    private const int MostPartials = 64;

    /// <param name="gy">[batch, length, channels].</param>
    /// <param name="dx">Rows at <paramref name="dxPitch"/>, written; null if not wanted.</param>
    /// <param name="dw">[channels, K]: written, or added to; null if not wanted.</param>
    /// <param name="dbias">[channels]: written, or added to; null if not wanted.</param>
    public static void Run<T>(
        ConvShape shape, T* gy, T* x, long pitch, T* w, T* bias, bool silu, int* sequences, int* lengths, T* dx, long dxPitch,
        T* dw, bool accumulateWeight, T* dbias, bool accumulateBias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int tiles = Cut.Pieces(shape.Length, TileRows);
        long units = shape.Batch * tiles;
        long unitsAPiece = Math.Max(1, (units + MostPartials - 1) / MostPartials);
        int pieces = Cut.Pieces(units, unitsAPiece);
        long columns = (long)(shape.Taps + 1) * shape.Channels;
        bool parameters = dw is not null || dbias is not null;
        using Scratch<T> tables = new(2L * shape.Taps * shape.Channels);
        using Scratch<T> partials = new(parameters ? (pieces + 1) * columns : 0);
        T* forward = tables.Pointer, backward = forward + ((long)shape.Taps * shape.Channels);
        CausalConv.ByTap(shape, w, forward, reversed: false);
        CausalConv.ByTap(shape, w, backward, reversed: true);
        T* sums = parameters ? partials.Pointer + columns : null;
        WorkerPool.Shared.For(
            pieces,
            new Piece<T>(shape, gy, x, pitch, forward, backward, bias, silu, sequences, lengths, dx, dxPitch, sums, tiles, units, unitsAPiece));
        if (!parameters)
        {
            return;
        }

        T* total = partials.Pointer;
        ColumnSum.AddPartials(sums, total, pieces, columns, accumulate: false);
        for (int c = 0; c < shape.Channels; c++)
        {
            for (int j = 0; j < shape.Taps && dw is not null; j++)
            {
                T* at = dw + ((long)c * shape.Taps) + j;
                T sum = total[((long)j * shape.Channels) + c];
                *at = accumulateWeight ? *at + sum : sum;
            }

            if (dbias is not null)
            {
                T sum = total[((long)shape.Taps * shape.Channels) + c];
                dbias[c] = accumulateBias ? dbias[c] + sum : sum;
            }
        }
    }

    private readonly struct Piece<T>(
        ConvShape shape, T* gy, T* x, long pitch, T* w, T* reversed, T* bias, bool silu, int* sequences, int* lengths, T* dx, long dxPitch, T* partials,
        int tiles, long units, long unitsAPiece) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            T* mine = null;
            if (partials is not null)
            {
                long columns = (long)(shape.Taps + 1) * shape.Channels;
                mine = partials + (index * columns);
                new Span<T>(mine, checked((int)columns)).Clear();
            }

            using Scratch<T> g = new(2 * (TileRows + (2 * shape.Taps)) * TileChannels);
            for (long unit = index * unitsAPiece; unit < Math.Min((index + 1) * unitsAPiece, units); unit++)
            {
                Tile(unit / tiles, unit % tiles * TileRows, g.Pointer, mine);
            }
        }

        private void Tile(long b, long from, T* g, T* partial)
        {
            int rows = (int)Math.Min(TileRows, shape.Length - from);
            long valid = CausalConv.Valid(shape, lengths, b);
            ConvSample sample = new(shape, b, valid);
            ConvWindow<T> window = new(
                shape, x + (sample.First * pitch), pitch * sample.Step, null, sequences is null ? null : sequences + sample.First, sample.Step);

            // Rows whose g is needed: the tile's, and those after it that read from the tile.
            int needed = rows + shape.Taps - 1;
            int live = (int)Math.Clamp(valid - from, 0, needed);
            int* reach = stackalloc int[TileRows + shape.Taps];
            for (int r = 0; r < needed; r++)
            {
                reach[r] = r < live ? window.Reach(from + r) : shape.Taps - 1;
            }

            bool whole = !new ReadOnlySpan<int>(reach, needed).ContainsAnyExcept(shape.Taps - 1);
            T** taps = stackalloc T*[shape.Taps];
            T* copies = g + ((TileRows + shape.Taps) * TileChannels);
            for (int c = 0; c < shape.Channels; c += TileChannels)
            {
                int width = Math.Min(TileChannels, shape.Channels - c);
                ConvWindow<T> near = Copy(window, sample, from, live, c, width, copies);
                OutputGradient(near, sample, from, live, c, width, taps, g);
                new Span<T>(g + (live * TileChannels), (needed - live) * TileChannels).Clear();
                if (dx is not null)
                {
                    long counted = Math.Clamp(valid - from, 0, rows);
                    InputGradient(dx + ((sample.First + (from * sample.Step)) * dxPitch) + c, (nint)(dxPitch * sample.Step), (int)counted, c, width, reach, taps, g);
                    for (long r = from + counted; r < from + rows; r++)
                    {
                        new Span<T>(dx + (((b * shape.Length) + r) * dxPitch) + c, width).Clear();
                    }
                }

                if (partial is not null)
                {
                    SimdLoop.For<T, ParameterBody<T>>(
                        0, width, new(g, near.Row(from), Math.Min(rows, live), shape.Taps, reach, whole, partial + c, shape.Channels));
                }
            }
        }

        // Rows whose pitch is a power of two share a few sets of the cache; side by side all of a tile stays there.
        private ConvWindow<T> Copy(ConvWindow<T> window, ConvSample sample, long from, int live, int c, int width, T* copies)
        {
            long first = from - shape.Taps + 1;
            for (long t = Math.Max(first, 0); live > 0 && t < from + live; t++) // a tile of padding alone reads nothing: backwards there are no rows behind the last valid one
            {
                new ReadOnlySpan<T>(window.Row(t) + c, width).CopyTo(new Span<T>(copies + ((t - first) * TileChannels), width));
            }

            return new ConvWindow<T>(shape, copies - (first * TileChannels), TileChannels, null, sequences is null ? null : sequences + sample.First, sample.Step);
        }

        private void OutputGradient(ConvWindow<T> window, ConvSample sample, long from, int live, int c, int width, T** taps, T* g)
        {
            nint givenPitch = sample.Step * (nint)shape.Channels;
            T* given = gy + (sample.First * shape.Channels) + (from * givenPitch) + c;
            T* weight = w + c, shift = bias is null ? null : bias + c;
            for (int r = 0; r < live;)
            {
                SiluGradientOutput<T> output = new(given + (r * givenPitch), givenPitch, g + (r * TileChannels), TileChannels);
                if (!silu)
                {
                    new ReadOnlySpan<T>(given + (r * givenPitch), width).CopyTo(new Span<T>(g + (r * TileChannels), width));
                    r++;
                }
                else if (r + ConvRows.AtOnce <= live && CausalConv.FourFull(window, from + r, shape.Taps))
                {
                    ConvRows.Four(window.Row(from + r - shape.Taps + 1), TileChannels, shape.Taps, weight, shape.Channels, shift, width, output);
                    r += ConvRows.AtOnce;
                }
                else
                {
                    CausalConv.Gather(window, from + r, shape.Taps, 0, taps);
                    ConvRows.One(taps, shape.Taps, weight, shape.Channels, shift, width, output);
                    r++;
                }
            }
        }

        private void InputGradient(T* to, nint toPitch, int rows, int c, int width, int* reach, T** taps, T* g)
        {
            T* weight = reversed + c;
            for (int r = 0; r < rows;)
            {
                PlainOutput<T> output = new(to + (r * toPitch), toPitch);
                if (r + ConvRows.AtOnce <= rows && IsReadByAll(reach + r))
                {
                    ConvRows.Four(g + (r * TileChannels), TileChannels, shape.Taps, weight, shape.Channels, null, width, output);
                    r += ConvRows.AtOnce;
                    continue;
                }

                for (int after = 0; after < shape.Taps; after++)
                {
                    taps[after] = reach[r + after] >= after ? g + ((r + after) * TileChannels) : null;
                }

                ConvRows.One(taps, shape.Taps, weight, shape.Channels, null, width, output);
                r++;
            }
        }

        /// <summary>Whether four rows from here on are each read by the K − 1 after them.</summary>
        private bool IsReadByAll(int* reach)
        {
            for (int r = 0; r < ConvRows.AtOnce + shape.Taps - 1; r++)
            {
                if (reach[r] < Math.Min(r, shape.Taps - 1))
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>partial[j] += Σ over rows of g[t] · x[t − K + 1 + j] where row t reads that far; partial[K] += Σ g.</summary>
    private readonly struct ParameterBody<T>(T* g, T* x, int rows, int taps, int* reach, bool whole, T* partial, nint partialPitch) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV sum = TV.Of(0.0);
            for (int r = 0; r < rows; r++)
            {
                sum += TV.Load(g + (r * TileChannels) + i);
            }

            T* at = partial + (taps * partialPitch) + i;
            (TV.Load(at) + sum).Store(at);
            int back = 0;
            for (; whole && back + 4 <= taps; back += 4)
            {
                at -= 4 * partialPitch; // the tap that looks furthest back comes first
                FourTaps<TV>(i, back, at);
            }

            for (; back < taps; back++)
            {
                at -= partialPitch;
                (TV.Load(at) + Tap<TV>(i, back)).Store(at);
            }
        }

        /// <summary>Four neighbouring taps where every row reads all of them: each g is read once for four independent sums.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void FourTaps<TV>(nint i, int back, T* at)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV a = TV.Of(0.0), b = a, c = a, d = a;
            T* gradient = g + i, input = x - ((back + 3) * TileChannels) + i;
            for (int r = 0; r < rows; r++)
            {
                TV v = TV.Load(gradient);
                a = TV.Fma(v, TV.Load(input), a);
                b = TV.Fma(v, TV.Load(input + TileChannels), b);
                c = TV.Fma(v, TV.Load(input + (2 * TileChannels)), c);
                d = TV.Fma(v, TV.Load(input + (3 * TileChannels)), d);
                gradient += TileChannels;
                input += TileChannels;
            }

            (TV.Load(at) + a).Store(at);
            (TV.Load(at + partialPitch) + b).Store(at + partialPitch);
            (TV.Load(at + (2 * partialPitch)) + c).Store(at + (2 * partialPitch));
            (TV.Load(at + (3 * partialPitch)) + d).Store(at + (3 * partialPitch));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private TV Tap<TV>(nint i, int back)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV even = TV.Of(0.0), odd = even;
            for (int r = 0; r < rows;)
            {
                if (reach[r] < back)
                {
                    r++;
                    continue;
                }

                T* gradient = g + (r * TileChannels) + i, input = x + ((r - back) * TileChannels) + i;
                even = TV.Fma(TV.Load(gradient), TV.Load(input), even);
                if (r + 1 < rows && reach[r + 1] >= back)
                {
                    odd = TV.Fma(TV.Load(gradient + TileChannels), TV.Load(input + TileChannels), odd);
                }

                r += 2;
            }

            return even + odd;
        }
    }
}
