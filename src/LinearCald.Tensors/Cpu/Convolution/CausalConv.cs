using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Depthwise causal convolution over [batch, length, channels], channels in SIMD lanes. Blocks of rows go to threads; within one, channels are cut so that the
/// K rows that an output reads stay in the first-level cache. Floor: one read of x, one write of y.
/// </summary>
internal static unsafe class CausalConv
{
    private const int ChannelBlock = 512;

    /// <summary>y[t] = f(bias + Σ over j of w[j] · x[t − K + 1 + j]), see <see cref="Backend.CausalConv1d"/>.</summary>
    /// <param name="pitch">Elements from row to row of x; the samples lie Length rows apart.</param>
    /// <param name="w">[channels, K].</param>
    /// <param name="bias">[channels] or null.</param>
    /// <param name="sequences">[batch, length] or null.</param>
    /// <param name="lengths">[batch] or null.</param>
    /// <param name="state">[batch, K − 1, channels] or null, as it is in reverse; updated.</param>
    /// <param name="y">[batch, length, channels].</param>
    public static void Forward<T>(ConvShape shape, T* x, long pitch, T* w, T* bias, bool silu, int* sequences, int* lengths, T* state, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using Scratch<T> table = new((long)shape.Taps * shape.Channels);
        ByTap(shape, w, table.Pointer, reversed: false);
        int rows = Math.Max(2 * ConvRows.AtOnce, Cut.Rows(shape.Channels));
        int blocks = Cut.Pieces(shape.Length, rows);
        WorkerPool.Shared.For(checked((int)shape.Batch * blocks), new Piece<T>(shape, x, pitch, table.Pointer, bias, silu, sequences, lengths, state, y, rows, blocks));
        if (state is not null)
        {
            KeepLastRows(shape, x, pitch, sequences, lengths, state);
        }
    }

    /// <summary>[channels, K] → [K, channels], the last tap first if <paramref name="reversed"/>.</summary>
    public static void ByTap<T>(ConvShape shape, T* w, T* table, bool reversed)
        where T : unmanaged
    {
        for (int j = 0; j < shape.Taps; j++)
        {
            T* row = table + ((long)(reversed ? shape.Taps - 1 - j : j) * shape.Channels);
            for (int c = 0; c < shape.Channels; c++)
            {
                row[c] = w[((long)c * shape.Taps) + j];
            }
        }
    }

    /// <summary>Rows of sample b that count.</summary>
    public static long Valid(ConvShape shape, int* lengths, long b) => lengths is null ? shape.Length : Math.Clamp(lengths[b], 0, shape.Length);

    /// <summary>Pointers to the rows that row t reads, moved to channel c; null for those outside its sequence.</summary>
    public static void Gather<T>(ConvWindow<T> window, long t, int taps, long c, T** rows)
        where T : unmanaged
    {
        int reach = window.Reach(t);
        for (int j = 0; j < taps; j++)
        {
            int back = taps - 1 - j;
            rows[j] = back <= reach ? window.Row(t - back) + c : null;
        }
    }

    /// <summary>Whether rows t … t + 3 each read K rows of the sample itself.</summary>
    public static bool FourFull<T>(ConvWindow<T> window, long t, int taps)
        where T : unmanaged
    {
        for (int r = 0; r < ConvRows.AtOnce; r++)
        {
            if (t < taps - 1 || window.Reach(t + r) < taps - 1)
            {
                return false;
            }
        }

        return true;
    }

    private static void KeepLastRows<T>(ConvShape shape, T* x, long pitch, int* sequences, int* lengths, T* state)
        where T : unmanaged
    {
        int kept = shape.Taps - 1;
        for (long b = 0; b < shape.Batch; b++)
        {
            T* mine = state + (b * kept * shape.Channels);
            long valid = Valid(shape, lengths, b);
            if (valid == 0)
            {
                continue;
            }

            ConvWindow<T> window = new(shape, x + (b * shape.Length * pitch), pitch, mine, sequences is null ? null : sequences + (b * shape.Length), 1);
            int reach = window.Reach(valid - 1);
            for (int i = 0; i < kept; i++)
            {
                // Rows of the old state move towards the front, so in this order none is overwritten before it is read.
                Span<T> to = new(mine + ((long)i * shape.Channels), shape.Channels);
                int back = kept - 1 - i;
                if (back <= reach)
                {
                    new ReadOnlySpan<T>(window.Row(valid - 1 - back), shape.Channels).CopyTo(to);
                }
                else
                {
                    to.Clear();
                }
            }
        }
    }

    private readonly struct Piece<T>(
        ConvShape shape, T* x, long pitch, T* w, T* bias, bool silu, int* sequences, int* lengths, T* state, T* y, int rows, int blocks) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long b = index / blocks, from = index % blocks * (long)rows, to = Math.Min(from + rows, shape.Length);
            long valid = Valid(shape, lengths, b), end = Math.Clamp(valid, from, to);
            ConvSample sample = new(shape, b, valid);
            ConvWindow<T> window = new(
                shape,
                x + (sample.First * pitch),
                pitch * sample.Step,
                state is null ? null : state + (b * (shape.Taps - 1) * shape.Channels),
                sequences is null ? null : sequences + sample.First,
                sample.Step);
            T* output = y + (sample.First * shape.Channels);
            nint outputPitch = sample.Step * (nint)shape.Channels;
            T** taps = stackalloc T*[shape.Taps];
            for (int c = 0; c < shape.Channels; c += ChannelBlock)
            {
                int width = Math.Min(ChannelBlock, shape.Channels - c);
                if (silu)
                {
                    Block<SiluOutput<T>>(window, from, end, c, width, taps, new(output + c, outputPitch));
                }
                else
                {
                    Block<PlainOutput<T>>(window, from, end, c, width, taps, new(output + c, outputPitch));
                }
            }

            new Span<T>(y + (((b * shape.Length) + end) * shape.Channels), checked((int)((to - end) * shape.Channels))).Clear();
        }

        private void Block<TOutput>(ConvWindow<T> window, long from, long end, int c, int width, T** taps, TOutput output)
            where TOutput : struct, IConvOutput<T>
        {
            T* weight = w + c, shift = bias is null ? null : bias + c;
            for (long t = from; t < end;)
            {
                if (t + ConvRows.AtOnce <= end && FourFull(window, t, shape.Taps))
                {
                    ConvRows.Four(window.Row(t - shape.Taps + 1) + c, (nint)window.Pitch, shape.Taps, weight, shape.Channels, shift, width, new FromRow<T, TOutput>(output, (nint)t));
                    t += ConvRows.AtOnce;
                }
                else
                {
                    Gather(window, t, shape.Taps, c, taps);
                    ConvRows.One(taps, shape.Taps, weight, shape.Channels, shift, width, new FromRow<T, TOutput>(output, (nint)t));
                    t++;
                }
            }
        }
    }
}
