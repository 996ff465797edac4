using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// The gradients of <see cref="GroupNorm"/>: with x̂ = (x − μ)·rstd and g = dy·w, dw = Σ dy·x̂, db = Σ dy, and dx = rstd·(g − mean(g) − x̂·mean(g·x̂)) with means over
/// the group, which are sums over its channels of w·dw and w·db of the sample. Floor: two reads of x and dy, one write of dx.
/// </summary>
internal static unsafe class GroupNormGradient
{
    /// <param name="weight">[channels] or null.</param>
    /// <param name="mean">[batch, groups], of the forward; so is <paramref name="rstd"/>.</param>
    /// <param name="dx">Written; null if not wanted.</param>
    /// <param name="dweight">[channels]: written, or added to; null if not wanted.</param>
    /// <param name="dbias">[channels]: written, or added to; null if not wanted.</param>
    public static void Run<T>(
        GroupNormShape shape, T* dy, T* x, T* weight, T* mean, T* rstd, T* dx, T* dweight, bool accumulateWeight, T* dbias, bool accumulateBias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int channels = shape.Channels;
        using Scratch<T> factors = new(Factors<T>.Rows * (long)shape.Batch * channels);
        using Scratch<double> sums = new(2L * shape.Batch * channels);
        for (int b = 0; b < shape.Batch; b++)
        {
            Factors<T> of = new(factors.Pointer, b, channels);
            for (int c = 0; c < channels; c++)
            {
                int g = (b * shape.Groups) + (c / shape.Size);
                of.Center[c] = mean[g];
                of.Rstd[c] = rstd[g];
                of.Scale[c] = rstd[g] * (weight is null ? T.One : weight[c]);
            }
        }

        ColumnTerms.Sum<T, Terms<T>>(shape.Batch, shape.Rows, channels, new(shape, dy, x, factors.Pointer), sums.Pointer);
        Parameter(shape, sums.Pointer, dbias, accumulateBias);
        Parameter(shape, sums.Pointer + channels, dweight, accumulateWeight);
        if (dx is null)
        {
            return;
        }

        for (int b = 0; b < shape.Batch; b++)
        {
            Factors<T> of = new(factors.Pointer, b, channels);
            double* bias = sums.Pointer + (2L * b * channels), product = bias + channels;
            for (int first = 0; first < channels; first += shape.Size)
            {
                double sum = 0, projection = 0;
                for (int c = first; c < first + shape.Size; c++)
                {
                    double w = weight is null ? 1 : double.CreateTruncating(weight[c]);
                    sum += w * bias[c];
                    projection += w * product[c];
                }

                double r = double.CreateTruncating(of.Rstd[first]);
                new Span<T>(of.Offset + first, shape.Size).Fill(T.CreateTruncating(-r * sum / shape.Elements));
                new Span<T>(of.Slope + first, shape.Size).Fill(T.CreateTruncating(-r * r * projection / shape.Elements));
            }
        }

        int rows = Cut.Rows(channels), blocks = Cut.Pieces(shape.Rows, rows);
        WorkerPool.Shared.For(checked(shape.Batch * blocks), new InputPiece<T>(shape, dy, x, factors.Pointer, dx, rows, blocks));
    }

    private static void Parameter<T>(GroupNormShape shape, double* sums, T* gradient, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int c = 0; c < shape.Channels && gradient is not null; c++)
        {
            double total = accumulate ? double.CreateTruncating(gradient[c]) : 0;
            for (int b = 0; b < shape.Batch; b++)
            {
                total += sums[(2L * b * shape.Channels) + c];
            }

            gradient[c] = T.CreateTruncating(total);
        }
    }

    /// <summary>What one sample's elements are multiplied with and moved by, channel by channel: dx = dy·Scale + (x − Center)·Slope + Offset.</summary>
    private readonly struct Factors<T>(T* first, long sample, int channels)
        where T : unmanaged
    {
        public const int Rows = 5;

        public T* Center { get; } = first + (sample * Rows * channels);

        public T* Rstd => Center + channels;

        public T* Scale => Rstd + channels;

        public T* Slope => Scale + channels;

        public T* Offset => Slope + channels;
    }

    /// <summary>Σ dy and Σ dy·x̂.</summary>
    private readonly struct Terms<T>(GroupNormShape shape, T* dy, T* x, T* factors) : IColumnTerms<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public static int Count => 2;

        public bool Counts(int sample, long row) => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add<TV>(int sample, long row, nint i, T* sums, nint pitch)
            where TV : unmanaged, ISimd<TV, T>
        {
            Factors<T> of = new(factors, sample, shape.Channels);
            long at = (((sample * shape.Rows) + row) * shape.Channels) + i;
            TV d = TV.Load(dy + at), normal = (TV.Load(x + at) - TV.Load(of.Center + i)) * TV.Load(of.Rstd + i);
            (TV.Load(sums + i) + d).Store(sums + i);
            TV.Fma(d, normal, TV.Load(sums + pitch + i)).Store(sums + pitch + i);
        }
    }

    private readonly struct InputPiece<T>(GroupNormShape shape, T* dy, T* x, T* factors, T* dx, int rows, int blocks) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            int channels = shape.Channels;
            long b = index / blocks, from = index % blocks * (long)rows, to = Math.Min(from + rows, shape.Rows);
            Factors<T> of = new(factors, b, channels);
            for (long r = (b * shape.Rows) + from; r < (b * shape.Rows) + to; r++)
            {
                SimdLoop.For<T, InputBody<T>>(0, channels, new(dy + (r * channels), x + (r * channels), of, dx + (r * channels)));
            }
        }
    }

    private readonly struct InputBody<T>(T* dy, T* x, Factors<T> of, T* dx) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV moved = TV.Fma(TV.Load(x + i) - TV.Load(of.Center + i), TV.Load(of.Slope + i), TV.Load(of.Offset + i));
            TV.Fma(TV.Load(dy + i), TV.Load(of.Scale + i), moved).Store(dx + i);
        }
    }
}
