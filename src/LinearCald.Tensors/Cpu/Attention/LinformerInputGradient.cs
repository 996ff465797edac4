using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>Gradients of keys and values: dK[0:n] = E[0:n] dK̃ / √n and dV[0:n] = F[0:n] dṼ / √n, rows from n on 0; in blocks of positions of every sample.</summary>
internal unsafe struct LinformerInputGradient<T> : IParallelBody
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int PositionBlock = 128;

    public required LinformerShape Shape;
    public required int* Lengths;
    public required T* E;
    public required T* F;
    public required T* ProjectedKeyGradient;
    public required T* ProjectedValueGradient;
    public required Rows<T> KeyGradient;
    public required Rows<T> ValueGradient;

    private int _blocks;

    public void Execute(WorkerPool pool)
    {
        _blocks = (Shape.Length + PositionBlock - 1) / PositionBlock;
        pool.For(Shape.Batch * 2 * _blocks, in this);
    }

    public readonly void Execute(int index)
    {
        (index, int block) = Math.DivRem(index, _blocks);
        (int b, int side) = Math.DivRem(index, 2);
        int n = Shape.LengthOf(Lengths, b), first = block * PositionBlock;
        int rows = Math.Min(PositionBlock, Shape.Length - first), valid = Math.Clamp(n - first, 0, rows);
        Rows<T> target = (side == 0 ? KeyGradient : ValueGradient).From(((nint)b * Shape.Length) + first, 0);
        if (valid > 0)
        {
            T* projection = (side == 0 ? E : F) + ((nint)first * Shape.Rank);
            T* gradient = (side == 0 ? ProjectedKeyGradient : ProjectedValueGradient) + ((nint)b * Shape.Rank * Shape.Width);
            T factor = T.CreateTruncating(1.0 / Math.Sqrt(n));
            Gemm.RunSerial(false, false, valid, Shape.Width, Shape.Rank, factor, projection, Shape.Rank, gradient, Shape.Width, T.Zero, target.Start, checked((int)target.Stride));
        }

        target.Clear(valid, rows, Shape.Width);
    }
}
