using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>Adds the key and value gradients of the query runs of one key row in the order of the runs.</summary>
internal unsafe struct AttentionPartialSums<T> : IParallelBody
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public required AttentionShape Shape;
    public required T* Partials; // [Batch · Heads, Runs, 2, KeyLength, HeadSize]
    public required int Runs;
    public required Rows<T> KeyGradient;
    public required Rows<T> ValueGradient;

    public readonly void Execute(int index)
    {
        (int batchHead, int j) = Math.DivRem(index, Shape.KeyLength);
        (int b, int h) = Math.DivRem(batchHead, Shape.Heads);
        nint size = (nint)Shape.KeyLength * Shape.HeadSize, position = ((nint)b * Shape.KeyLength) + j, column = (nint)h * Shape.HeadSize;
        T* part = Partials + ((nint)batchHead * Runs * 2 * size) + ((nint)j * Shape.HeadSize);
        Sum(part, 2 * size, KeyGradient[position] + column);
        Sum(part + size, 2 * size, ValueGradient[position] + column);
    }

    private readonly void Sum(T* part, nint step, T* target)
    {
        for (int d = 0; d < Shape.HeadSize; d++)
        {
            T sum = part[d];
            for (int r = 1; r < Runs; r++)
            {
                sum += part[(r * step) + d];
            }

            target[d] = sum;
        }
    }
}
