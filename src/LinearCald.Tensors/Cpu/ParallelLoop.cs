using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary><see cref="SimdLoop"/> over long buffers, cut into pieces for all threads.</summary>
internal static unsafe class ParallelLoop
{
    private const int ShortSum = 2048;

    /// <summary>Executes <paramref name="body"/> over <paramref name="count"/> elements.</summary>
    public static void For<T, TBody>(long count, TBody body)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TBody : struct, ISimdBody<T> =>
        WorkerPool.Shared.For(Cut.Pieces(count, Cut.Elements), new ForPiece<T, TBody>(count, body));

    /// <summary>Sums in <typeparamref name="T"/> over two thousand elements, and over those sums in order in float64.</summary>
    public static double Sum<T, TFold>(long count, TFold fold)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TFold : struct, ISimdFold<T>
    {
        long size = Cut.Reduction(count);
        int pieces = Cut.Pieces(count, size);
        double* partials = stackalloc double[Cut.Partials];
        WorkerPool.Shared.For(pieces, new SumPiece<T, TFold>(count, size, partials, fold));
        double total = 0;
        for (int i = 0; i < pieces; i++)
        {
            total += partials[i];
        }

        return total;
    }

    private readonly struct ForPiece<T, TBody>(long count, TBody body) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TBody : struct, ISimdBody<T>
    {
        public void Execute(int index)
        {
            long from = (long)index * Cut.Elements;
            SimdLoop.For<T, TBody>((nint)from, (nint)Math.Min(from + Cut.Elements, count), body);
        }
    }

    private readonly struct SumPiece<T, TFold>(long count, long size, double* partials, TFold fold) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TFold : struct, ISimdFold<T>
    {
        public void Execute(int index)
        {
            // Short sums in T keep the chains of rounding short however large a piece is.
            long from = index * size, to = Math.Min(from + size, count);
            double total = 0;
            for (long at = from; at < to; at += ShortSum)
            {
                total += double.CreateTruncating(SimdLoop.Sum<T, TFold>((nint)at, (nint)Math.Min(at + ShortSum, to), fold));
            }

            partials[index] = total;
        }
    }
}
