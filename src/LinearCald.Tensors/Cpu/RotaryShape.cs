namespace LinearCald.Tensors.Cpu;

/// <summary>The sizes of a joint projection [Batch, Length, Heads · 3 · Size] and the angles of its positions.</summary>
/// <param name="Size">Elements of a head.</param>
/// <param name="Rotary">Elements that are turned: the first of each head.</param>
/// <param name="First">Position of row 0.</param>
internal readonly record struct RotaryShape(long Batch, long Length, int Heads, int Size, int Rotary, double Theta, int First)
{
    /// <summary>Elements of a row of q.</summary>
    public long Features => (long)Heads * Size;

    /// <summary>Radians by which the pair (i, i + Rotary/2) is turned from one position to the next.</summary>
    public double Frequency(int i) => Math.Pow(Theta, -2.0 * i / Rotary);
}
