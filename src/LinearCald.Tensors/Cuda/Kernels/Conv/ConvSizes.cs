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
/// <param name="Reverse">Whether samples are gone through from their last row to the first: rows are numbered in that order then, and row i lies at Length − 1 − i.</param>
internal readonly record struct ConvTraits(
    int Taps, bool Vectors, bool Silu, bool Bias, bool Sequences, bool Lengths, bool Reverse = false, bool History = false, bool Keeps = false)
{
    /// <summary>Where a row lies.</summary>
    public int Place(int row, int length) => Reverse ? length - 1 - row : row;

    /// <summary>Whether there is such a row and it counts.</summary>
    /// <param name="live">Rows of the sample that count, at places 0 … live − 1.</param>
    public bool Counts(int row, int live, int length) => (uint)Place(row, length) < (uint)live;

    /// <summary>Rows of a sample that count.</summary>
    public int LiveRows(ReadOnlyView<int> lengths, int sample, int length) => Lengths ? Math.Clamp(lengths[sample], 0, length) : length;
}
