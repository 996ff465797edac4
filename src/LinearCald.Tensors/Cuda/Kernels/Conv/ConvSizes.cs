using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>What the convolution kernels are told at launch. x, its gradient and y are [B, Length, Channels].</summary>
internal struct ConvSizes
{
    public int Length;
    public int Channels;

    /// <summary>Elements from row to row of x.</summary>
    public long Pitch;

    /// <summary>Elements from row to row of x's gradient.</summary>
    public long GradientPitch;

    /// <summary>Rows of a tile.</summary>
    public int TileRows;

    /// <summary>Tiles of a sample.</summary>
    public FastDivisor Tiles;
}

/// <summary>What the convolution kernels are compiled for.</summary>
/// <param name="Taps">K, 1 to 8.</param>
/// <param name="Vectors">Whether all rows start at, and are multiples of, 16 bytes.</param>
/// <param name="Silu">Whether SiLU follows.</param>
/// <param name="Bias">Whether there is a bias.</param>
/// <param name="Sequences">Whether a row may hold several sequences.</param>
/// <param name="Lengths">Whether samples have lengths of their own.</param>
/// <param name="History">Whether rows before row 0 come from a state.</param>
/// <param name="Keeps">Whether the last rows go to the state: only where one tile is a sample.</param>
internal readonly record struct ConvTraits(int Taps, bool Vectors, bool Silu, bool Bias, bool Sequences, bool Lengths, bool History = false, bool Keeps = false)
{
    /// <summary>Rows of a sample that count.</summary>
    public int LiveRows(ReadOnlyView<int> lengths, int sample, int length) => Lengths ? Math.Clamp(lengths[sample], 0, length) : length;
}
