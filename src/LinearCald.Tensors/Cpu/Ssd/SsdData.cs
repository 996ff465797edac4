using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cpu;

/// <summary>The inputs of a scan in memory. Rows are positions, batch row after batch row.</summary>
internal unsafe struct SsdData<T>
    where T : unmanaged
{
    public Rows<T> X;     // [B·L] × H·P
    public Rows<T> Delta; // [B·L] × H
    public Rows<T> B;     // [B·L] × G·N
    public Rows<T> C;     // [B·L] × G·N
    public T* A;          // [H]
    public T* D;          // [H] or null
    public T* DeltaBias;  // [H] or null
    public int* Sequences;  // [B, L] or null
    public int* Lengths;    // [B] or null
    public T* InitialState; // [B, H, P, N] or null
    public T* FinalState;   // [B, H, P, N] or null

    /// <summary>The way of the scan along one row of the batch.</summary>
    public readonly SsdWay Way(in SsdShape shape, int batch)
    {
        int steps = Lengths == null ? shape.Length : Math.Clamp(Lengths[batch], 0, shape.Length);
        return new SsdWay((nint)batch * shape.Length, shape.Length, steps, shape.Reverse);
    }
}

/// <summary>How the steps of a scan lie on the positions of one row: from the first on, or from the last valid one back. Padding has no steps.</summary>
/// <param name="start">Row of the first position.</param>
/// <param name="length">Positions, padding included.</param>
/// <param name="steps">Valid positions.</param>
/// <param name="reverse">Whether the last valid position comes first.</param>
internal readonly unsafe struct SsdWay(nint start, int length, int steps, bool reverse)
{
    public readonly int Steps = steps;

    /// <summary>Row of a step.</summary>
    public nint Row(int step) => start + (reverse ? Steps - 1 - step : step);

    /// <summary>Rows that start with the first step and go in the direction of the scan.</summary>
    public Rows<T> Of<T>(Rows<T> rows, nint column)
        where T : unmanaged => new(rows[Row(0)] + column, reverse ? -rows.Stride : rows.Stride);

    /// <summary>Zero in some columns of the padding.</summary>
    public void ClearPadding<T>(Rows<T> rows, nint column, int columns)
        where T : unmanaged => rows.From(start, column).Clear(Steps, length, columns);

    /// <summary>Cuts the steps into chunks of at most <paramref name="size"/>, and anew wherever a sequence begins, so that no chunk mixes sequences.</summary>
    /// <param name="chunks">Room for as many as there are steps.</param>
    /// <param name="entered">Whether the first chunk has a state to begin with.</param>
    /// <returns>Number of chunks.</returns>
    public int Cut(int* sequences, int size, bool entered, SsdChunk* chunks)
    {
        int count = 0, slots = 0, first = 0;
        while (first < Steps)
        {
            bool fresh = first == 0 ? !entered : Begins(sequences, first);
            int end = first + 1;
            while (end < Steps && end - first < size && !Begins(sequences, end))
            {
                end++;
            }

            chunks[count++] = new SsdChunk { First = first, Count = end - first, Slot = fresh ? -1 : slots++ };
            first = end;
        }

        return count;
    }

    private bool Begins(int* sequences, int step) => sequences != null && sequences[Row(step)] != sequences[Row(step - 1)];
}

/// <summary>Steps of one sequence that are computed together.</summary>
internal struct SsdChunk
{
    public int First;
    public int Count;

    /// <summary>Place of the state on entry among those that are kept; −1 when the chunk starts from 0.</summary>
    public int Slot;

    public readonly bool IsFresh => Slot < 0;
}
