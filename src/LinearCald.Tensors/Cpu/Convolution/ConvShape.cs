namespace LinearCald.Tensors.Cpu;

/// <summary>The sizes of a depthwise convolution over [Batch, Length, Channels] with <paramref name="Taps"/> taps a channel.</summary>
internal readonly record struct ConvShape(long Batch, long Length, int Channels, int Taps);

/// <summary>What one sample's outputs may read.</summary>
/// <param name="shape">The sizes.</param>
/// <param name="rows">Row 0 of the sample.</param>
/// <param name="pitch">Elements from row to row.</param>
/// <param name="history">The Taps − 1 rows before row 0, contiguous; null for none.</param>
/// <param name="sequence">The sample's sequence numbers; null for one sequence.</param>
internal readonly unsafe struct ConvWindow<T>(ConvShape shape, T* rows, long pitch, T* history, int* sequence)
    where T : unmanaged
{
    /// <summary>Row t of the sample, or of the history if t is negative.</summary>
    public T* Row(long t) => t >= 0 ? rows + (t * pitch) : history + ((shape.Taps - 1 + t) * shape.Channels);

    /// <summary>How many rows before row t (Taps − 1 at most) belong to its sequence. Row 0 continues the history's.</summary>
    public int Reach(long t)
    {
        int most = shape.Taps - 1, reach = 0;
        while (reach < most && t > reach && (sequence is null || sequence[t - reach - 1] == sequence[t - reach]))
        {
            reach++;
        }

        return t == reach && history is not null ? most : reach;
    }
}
