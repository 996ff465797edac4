using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>Projected keys and values: K̃ = E[0:n]ᵀ K[0:n] / √n and Ṽ = F[0:n]ᵀ V[0:n] / √n, in blocks of slots × columns of every sample.</summary>
internal unsafe struct LinformerProjection<T> : IParallelBody
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public required LinformerShape Shape;
    public required int* Lengths;
    public required Rows<T> Key;
    public required Rows<T> Value;
    public required T* E;
    public required T* F;
    public required T* ProjectedKey;
    public required T* ProjectedValue;

    private int _slots;
    private int _columns;
    private int _slotBlocks;
    private int _columnBlocks;

    /// <summary>Large blocks where the samples are many, smaller ones where a few long samples must feed all threads. The cut depends on the shape only.</summary>
    public void Execute(WorkerPool pool)
    {
        bool many = Shape.Batch >= 8;
        _slots = many ? 256 : 64;
        _columns = many ? 256 : 64;
        _slotBlocks = (Shape.Rank + _slots - 1) / _slots;
        _columnBlocks = (Shape.Width + _columns - 1) / _columns;
        pool.For(Shape.Batch * 2 * _slotBlocks * _columnBlocks, in this);
    }

    public readonly void Execute(int index)
    {
        (index, int columnBlock) = Math.DivRem(index, _columnBlocks);
        (index, int slotBlock) = Math.DivRem(index, _slotBlocks);
        (int b, int side) = Math.DivRem(index, 2);
        int column = columnBlock * _columns, columns = Math.Min(_columns, Shape.Width - column);
        int slot = slotBlock * _slots, slots = Math.Min(_slots, Shape.Rank - slot);
        int n = Shape.LengthOf(Lengths, b);
        Rows<T> source = (side == 0 ? Key : Value).From((nint)b * Shape.Length, column);
        T* target = (side == 0 ? ProjectedKey : ProjectedValue) + ((((nint)b * Shape.Rank) + slot) * Shape.Width) + column;
        if (n == 0)
        {
            for (int s = 0; s < slots; s++)
            {
                new Span<T>(target + ((nint)s * Shape.Width), columns).Clear();
            }

            return;
        }

        T* projection = (side == 0 ? E : F) + slot;
        T factor = T.CreateTruncating(1.0 / Math.Sqrt(n));
        Gemm.RunSerial(true, false, slots, columns, n, factor, projection, Shape.Rank, source.Start, checked((int)source.Stride), T.Zero, target, Shape.Width);
    }
}
