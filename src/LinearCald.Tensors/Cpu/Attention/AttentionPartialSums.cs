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
        TilePacking.SumRows(new Rows<T>(part, 2 * size), Runs, KeyGradient[position] + column, Shape.HeadSize);
        TilePacking.SumRows(new Rows<T>(part + size, 2 * size), Runs, ValueGradient[position] + column, Shape.HeadSize);
    }
}
