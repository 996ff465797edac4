namespace LinearCald.Tensors.Cpu;

/// <summary>The sizes of a depthwise convolution over [Batch, Length, Channels] with <paramref name="Taps"/> taps a channel.</summary>
/// <param name="Reverse">Whether rows look ahead: then the rows of a sample are counted from its last valid one to its first.</param>
internal readonly record struct ConvShape(long Batch, long Length, int Channels, int Taps, bool Reverse = false);

/// <summary>
/// Where the rows of one sample lie. Kernels count them 0 … valid − 1 in the direction of the convolution, so that every row looks back; the rows after the valid
/// ones, which give 0, keep their places.
/// </summary>
/// <param name="shape">The sizes.</param>
/// <param name="b">The sample.</param>
/// <param name="valid">Rows that count.</param>
internal readonly struct ConvSample(ConvShape shape, long b, long valid)
{
    /// <summary>Row 0, counted over all samples.</summary>
    public long First => (b * shape.Length) + (shape.Reverse ? valid - 1 : 0);

    /// <summary>From a row to the next: 1 or −1.</summary>
    public int Step => shape.Reverse ? -1 : 1;
}

/// <summary>What one sample's outputs may read.</summary>
/// <param name="shape">The sizes.</param>
/// <param name="rows">Row 0 of the sample.</param>
/// <param name="pitch">Elements from row to row; negative where rows are counted backwards.</param>
/// <param name="history">The Taps − 1 rows before row 0, contiguous; null for none.</param>
/// <param name="sequence">The sequence number of row 0; null for one sequence.</param>
/// <param name="step">Numbers from row to row.</param>
internal readonly unsafe struct ConvWindow<T>(ConvShape shape, T* rows, long pitch, T* history, int* sequence, int step)
    where T : unmanaged
{
    /// <summary>Elements from row to row.</summary>
    public long Pitch => pitch;

    /// <summary>Row t of the sample, or of the history if t is negative.</summary>
    public T* Row(long t) => t >= 0 ? rows + (t * pitch) : history + ((shape.Taps - 1 + t) * shape.Channels);

    /// <summary>How many rows before row t (Taps − 1 at most) belong to its sequence. Row 0 continues the history's.</summary>
    public int Reach(long t)
    {
        int most = shape.Taps - 1, reach = 0;
        while (reach < most && t > reach && (sequence is null || sequence[(t - reach - 1) * step] == sequence[(t - reach) * step]))
        {
            reach++;
        }

        return t == reach && history is not null ? most : reach;
    }
}
