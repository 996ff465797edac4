using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Gradients of the projections: dE[t] = Σ_b K_b[t] dK̃_bᵀ / √n_b over the samples that have a position t, dF likewise from V; into one
/// buffer where E and F are one. A task owns a block of dE and adds the samples in order, so the sum has the same bits for any threads.
/// </summary>
internal unsafe struct LinformerProjectionGradient<T> : IParallelBody
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int SlotBlock = 128;

    public required LinformerShape Shape;
    public required int* Lengths;
    public required Rows<T> Key;
    public required Rows<T> Value;
    public required T* ProjectedKeyGradient;
    public required T* ProjectedValueGradient;
    public required T* GradientE;
    public required bool AccumulateE;

    /// <summary>The same buffer as <see cref="GradientE"/> where E and F are one: then <see cref="AccumulateE"/> holds for both.</summary>
    public required T* GradientF;
    public required bool AccumulateF;

    private int _positions;
    private int _positionBlocks;
    private int _slotBlocks;

    public void Execute(WorkerPool pool)
    {
        _positions = Shape.Rank >= SlotBlock ? 64 : 32;
        _positionBlocks = (Shape.Positions + _positions - 1) / _positions;
        _slotBlocks = (Shape.Rank + SlotBlock - 1) / SlotBlock;
        int tasks = _positionBlocks * _slotBlocks;
        pool.For(GradientE == GradientF ? tasks : 2 * tasks, in this);
    }

    public readonly void Execute(int index)
    {
        (int side, index) = Math.DivRem(index, _positionBlocks * _slotBlocks);
        (int positionBlock, int slotBlock) = Math.DivRem(index, _slotBlocks);
        int position = positionBlock * _positions, rows = Math.Min(_positions, Shape.Positions - position);
        int slot = slotBlock * SlotBlock, slots = Math.Min(SlotBlock, Shape.Rank - slot);
        T* target = (side == 0 ? GradientE : GradientF) + ((nint)position * Shape.Rank) + slot;
        if (!(side == 0 ? AccumulateE : AccumulateF))
        {
            for (int i = 0; i < rows; i++)
            {
                new Span<T>(target + ((nint)i * Shape.Rank), slots).Clear();
            }
        }

        for (int b = 0; b < Shape.Batch; b++)
        {
            int n = Shape.LengthOf(Lengths, b), valid = Math.Min(rows, n - position);
            if (valid <= 0)
            {
                continue;
            }

            T factor = T.CreateTruncating(1.0 / Math.Sqrt(n));
            nint from = ((nint)b * Shape.Length) + position, projected = (((nint)b * Shape.Rank) + slot) * Shape.Width;
            if (side == 0)
            {
                Add(valid, slots, factor, Key.From(from, 0), ProjectedKeyGradient + projected, target);
            }

            if (side == 1 || GradientE == GradientF)
            {
                Add(valid, slots, factor, Value.From(from, 0), ProjectedValueGradient + projected, target);
            }
        }
    }

    private readonly void Add(int rows, int slots, T factor, Rows<T> inputs, T* gradient, T* target) =>
        Gemm.RunSerial(false, true, rows, slots, Shape.Width, factor, inputs.Start, checked((int)inputs.Stride), gradient, Shape.Width, T.One, target, Shape.Rank);
}
