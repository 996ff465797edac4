using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Cross-entropy of logits [rows, classes] with one label a row: Σ (lse(x) − x[label]) over the rows whose label is not the one to ignore,
/// or its mean over them. Ignored rows are not even read. The gradient is one pass: a read and a write an element.
/// </summary>
internal static unsafe class CrossEntropyKernel
{
    /// <summary>Writes the loss, and for the gradient each row's log Σ exp (0 for ignored rows).</summary>
    /// <param name="ignore">The label of rows that do not count, inside or outside the classes; −100 by habit.</param>
    /// <param name="mean">Divide by the number of rows that count; NaN if none does, as PyTorch has it. Without it the loss is then 0.</param>
    /// <param name="loss">One number.</param>
    /// <param name="lse">[rows].</param>
    /// <exception cref="CaldException">A label is neither a class nor <paramref name="ignore"/>.</exception>
    public static void Forward<T>(T* logits, int* labels, long rows, int classes, int ignore, bool mean, T* loss, T* lse)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long counted = Counted(labels, rows, classes, ignore);
        double total = RowSum.Of(rows, classes, new RowLoss<T>(logits, labels, classes, ignore, lse));
        *loss = T.CreateTruncating(mean ? total / counted : total);
    }

    /// <summary>glogits = (softmax(logits) − onehot(label)) · gloss, divided by the rows that count if <paramref name="mean"/>; 0 in ignored rows.</summary>
    /// <param name="lse">What <see cref="Forward"/> wrote.</param>
    /// <param name="gloss">Gradient of the loss.</param>
    /// <param name="glogits">[rows, classes]; may be <paramref name="logits"/>.</param>
    /// <exception cref="CaldException">A label is neither a class nor <paramref name="ignore"/>.</exception>
    public static void Gradient<T>(
        T* logits, int* labels, long rows, int classes, int ignore, bool mean, T* lse, T gloss, T* glogits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long counted = Counted(labels, rows, classes, ignore);
        T scale = mean ? gloss / T.CreateTruncating(counted) : gloss;
        int size = Cut.Rows(classes);
        WorkerPool.Shared.For(
            Cut.Pieces(rows, size), new GradientPiece<T>(logits, labels, rows, classes, ignore, lse, scale, glogits, size));
    }

    /// <summary>How many labels count.</summary>
    /// <exception cref="CaldException">A label is neither a class nor <paramref name="ignore"/>.</exception>
    public static long Counted(int* labels, long rows, int classes, int ignore)
    {
        long counted = 0;
        for (long i = 0; i < rows; i++)
        {
            if (labels[i] == ignore)
            {
                continue;
            }

            counted++;
            if ((uint)labels[i] >= (uint)classes)
            {
                throw new CaldException(
                    $"cross-entropy: the label of row {i} is {labels[i]}, but there are {classes} classes (0 to {classes - 1}) and rows to " +
                    $"leave out are labelled {ignore}. Check the labels and the number of classes of the model.");
            }
        }

        return counted;
    }

    private readonly struct RowLoss<T>(T* logits, int* labels, int classes, int ignore, T* lse) : IRowTerm
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public double Term(long row)
        {
            if (labels[row] == ignore)
            {
                lse[row] = T.Zero;
                return 0;
            }

            T* x = logits + (row * classes);
            LogSumExp<T> normaliser = LogSumExp<T>.Of(x, classes, T.One);
            lse[row] = normaliser.Maximum + normaliser.Log;
            return double.CreateTruncating(normaliser.Maximum) - double.CreateTruncating(x[labels[row]]) + double.CreateTruncating(normaliser.Log);
        }
    }

    private readonly struct GradientPiece<T>(
        T* logits, int* labels, long rows, int classes, int ignore, T* lse, T scale, T* glogits, int size) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long from = (long)index * size, to = Math.Min(from + size, rows);
            for (long row = from; row < to; row++)
            {
                T* g = glogits + (row * classes);
                if (labels[row] == ignore)
                {
                    NativeMemory.Clear(g, (nuint)classes * (nuint)sizeof(T));
                    continue;
                }

                SimdLoop.For<T, Probabilities<T>>(0, classes, new(logits + (row * classes), lse[row], scale, g));
                g[labels[row]] -= scale;
            }
        }
    }

    private readonly struct Probabilities<T>(T* x, T lse, T scale, T* g) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> =>
            (VectorMath.Exp<TV, T>(TV.Load(x + i) - TV.Broadcast(lse)) * TV.Broadcast(scale)).Store(g + i);
    }
}
