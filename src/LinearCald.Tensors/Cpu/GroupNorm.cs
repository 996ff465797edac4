using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>Samples of <paramref name="Rows"/> rows of <paramref name="Groups"/> groups of <paramref name="Size"/> channels each.</summary>
internal readonly record struct GroupNormShape(int Batch, long Rows, int Groups, int Size)
{
    public int Channels => Groups * Size;

    /// <summary>Elements that one mean is taken over.</summary>
    public double Elements => (double)Rows * Size;
}

/// <summary>
/// y = (x − μ)·rstd·w + b with the statistics of each sample and group over all rows. Mean and squares are taken channel by channel over blocks of rows that stay in
/// the second-level cache for both, about the block's own mean; blocks, then channels, are joined in float64 (Chan, Golub and LeVeque 1979), so a mean far from zero
/// costs no digits. Floor: two reads of x, one write of y.
/// </summary>
internal static unsafe class GroupNorm
{
    private const int MostPieces = 32;
    private const int BlockElements = 32768;
    private const int MostBlockRows = 512;

    /// <param name="weight">[channels] or null; so is <paramref name="bias"/>.</param>
    /// <param name="mean">[batch, groups]: written, for the backward; so is <paramref name="rstd"/>.</param>
    public static void Forward<T>(GroupNormShape shape, T* x, T* weight, T* bias, T* y, T* mean, T* rstd, double epsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int channels = shape.Channels;
        long block = Math.Clamp(BlockElements / Math.Max(1, channels), 8, MostBlockRows);
        long pieceRows = Math.Max(1, (Cut.Pieces(shape.Rows, block) + MostPieces - 1) / MostPieces) * block;
        int pieces = Cut.Pieces(shape.Rows, pieceRows);
        using Scratch<double> moments = new(2L * shape.Batch * pieces * channels);
        using Scratch<T> factors = new(2L * shape.Batch * channels);
        WorkerPool.Shared.For(shape.Batch * pieces, new MomentPiece<T>(shape, x, moments.Pointer, block, pieceRows, pieces));
        for (int b = 0; b < shape.Batch; b++)
        {
            T* center = factors.Pointer + (2L * b * channels), scale = center + channels;
            for (int g = 0; g < shape.Groups; g++)
            {
                Moments group = default;
                for (int piece = 0; piece < pieces; piece++)
                {
                    double count = Math.Min(pieceRows, shape.Rows - (piece * pieceRows));
                    double* at = moments.Pointer + (2 * (((long)b * pieces) + piece) * channels);
                    for (int c = g * shape.Size; c < (g + 1) * shape.Size; c++)
                    {
                        group.Join(count, at[c], at[channels + c]);
                    }
                }

                double inverse = 1 / Math.Sqrt((group.Squares / shape.Elements) + epsilon);
                mean[(b * shape.Groups) + g] = T.CreateTruncating(group.Mean);
                rstd[(b * shape.Groups) + g] = T.CreateTruncating(inverse);
                for (int c = g * shape.Size; c < (g + 1) * shape.Size; c++)
                {
                    center[c] = T.CreateTruncating(group.Mean);
                    scale[c] = T.CreateTruncating(inverse) * (weight is null ? T.One : weight[c]);
                }
            }
        }

        int rows = Cut.Rows(channels), blocks = Cut.Pieces(shape.Rows, rows);
        WorkerPool.Shared.For(checked(shape.Batch * blocks), new NormalisePiece<T>(shape, x, factors.Pointer, bias, y, rows, blocks));
    }

    /// <summary>The mean of some numbers and the sum of their squared distances from it.</summary>
    private struct Moments
    {
        public double Count;
        public double Mean;
        public double Squares;

        /// <summary>Adds <paramref name="count"/> numbers of which these are the moments.</summary>
        public void Join(double count, double mean, double squares)
        {
            double total = Count + count, distance = mean - Mean;
            Squares += squares + (distance * distance * Count * count / total);
            Mean += distance * count / total;
            Count = total;
        }
    }

    /// <summary>Mean and squares of every channel over a piece of a sample's rows.</summary>
    private readonly struct MomentPiece<T>(GroupNormShape shape, T* x, double* moments, long block, long pieceRows, int pieces) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            int channels = shape.Channels;
            long b = index / pieces, from = index % pieces * pieceRows, to = Math.Min(from + pieceRows, shape.Rows);
            double* means = moments + (2L * index * channels), squares = means + channels;
            new Span<double>(means, 2 * channels).Clear();
            using Scratch<T> scratch = new(2L * channels);
            T* mean = scratch.Pointer, spread = mean + channels;
            for (long first = from; first < to; first += block)
            {
                long rows = Math.Min(block, to - first);
                T* input = x + (((b * shape.Rows) + first) * channels);
                new Span<T>(mean, 2 * channels).Clear();
                for (long r = 0; r < rows; r++)
                {
                    SimdLoop.For<T, AddBody<T>>(0, channels, new(input + (r * channels), mean));
                }

                SimdLoop.For<T, DivideBody<T>>(0, channels, new(mean, T.CreateTruncating(rows)));
                for (long r = 0; r < rows; r++)
                {
                    SimdLoop.For<T, SpreadBody<T>>(0, channels, new(input + (r * channels), mean, spread));
                }

                for (int c = 0; c < channels; c++)
                {
                    Moments soFar = new() { Count = first - from, Mean = means[c], Squares = squares[c] };
                    soFar.Join(rows, double.CreateTruncating(mean[c]), double.CreateTruncating(spread[c]));
                    means[c] = soFar.Mean;
                    squares[c] = soFar.Squares;
                }
            }
        }
    }

    private readonly struct NormalisePiece<T>(GroupNormShape shape, T* x, T* factors, T* bias, T* y, int rows, int blocks) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            int channels = shape.Channels;
            long b = index / blocks, from = index % blocks * (long)rows, to = Math.Min(from + rows, shape.Rows);
            T* center = factors + (2 * b * channels);
            for (long r = (b * shape.Rows) + from; r < (b * shape.Rows) + to; r++)
            {
                SimdLoop.For<T, NormaliseBody<T>>(0, channels, new(x + (r * channels), center, center + channels, bias, y + (r * channels)));
            }
        }
    }

    private readonly struct AddBody<T>(T* x, T* sum) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> => (TV.Load(sum + i) + TV.Load(x + i)).Store(sum + i);
    }

    private readonly struct DivideBody<T>(T* sum, T count) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> => (TV.Load(sum + i) / TV.Broadcast(count)).Store(sum + i);
    }

    private readonly struct SpreadBody<T>(T* x, T* mean, T* spread) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV d = TV.Load(x + i) - TV.Load(mean + i);
            TV.Fma(d, d, TV.Load(spread + i)).Store(spread + i);
        }
    }

    private readonly struct NormaliseBody<T>(T* x, T* center, T* scale, T* bias, T* y) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> =>
            TV.Fma(TV.Load(x + i) - TV.Load(center + i), TV.Load(scale + i), bias is null ? TV.Of(0.0) : TV.Load(bias + i)).Store(y + i);
    }
}
