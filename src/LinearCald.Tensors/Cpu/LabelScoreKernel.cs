using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Of each row of logits [rows, classes]: x[label] − lse(x), and the first of the largest elements. Rows are read three times, from the cache after the first.
/// </summary>
internal static unsafe class LabelScoreKernel
{
    /// <param name="labels">[rows]</param>
    /// <param name="likelihoods">[rows]; NaN for a row with a NaN.</param>
    /// <param name="best">[rows]; 0 for such a row if no element equals its maximum.</param>
    /// <exception cref="CaldException">A label is no class.</exception>
    public static void Forward<T>(T* logits, int* labels, long rows, int classes, T* likelihoods, int* best)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (long i = 0; i < rows; i++)
        {
            if ((uint)labels[i] >= (uint)classes)
            {
                throw new CaldException($"LabelScores: the label of row {i} is {labels[i]}, but there are {classes} classes (0 to {classes - 1}). Check the labels and the vocabulary of the model.");
            }
        }

        int size = Cut.Rows(classes);
        WorkerPool.Shared.For(Cut.Pieces(rows, size), new Piece<T>(logits, labels, rows, classes, likelihoods, best, size));
    }

    private readonly struct Piece<T>(T* logits, int* labels, long rows, int classes, T* likelihoods, int* best, int size) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long from = (long)index * size, to = Math.Min(from + size, rows);
            for (long row = from; row < to; row++)
            {
                T* x = logits + (row * classes);
                LogSumExp<T> normaliser = LogSumExp<T>.Of(x, classes, T.One);
                likelihoods[row] = (x[labels[row]] - normaliser.Maximum) - normaliser.Log;
                best[row] = Math.Max(0, new ReadOnlySpan<T>(x, classes).IndexOf(normaliser.Maximum));
            }
        }
    }
}
