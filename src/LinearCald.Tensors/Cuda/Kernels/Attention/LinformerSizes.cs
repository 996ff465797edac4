using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>What the Linformer projection kernels are told at launch: inputs [B, Length, Width], projections [Positions, Rank], slots [B, Rank, Width].</summary>
internal struct LinformerSizes
{
    public int Batch;
    public int Length;
    public int Width;
    public int Rank;

    /// <summary>Valid positions of a sample.</summary>
    public readonly int LengthOf(ReadOnlyView<int> lengths, int sample, bool hasLengths) => hasLengths ? Math.Clamp(lengths[sample], 0, Length) : Length;
}

/// <summary>What the Linformer projection kernels are compiled for.</summary>
/// <param name="HasLengths">Whether samples have their own lengths.</param>
/// <param name="Vectors">Whether width and rank are multiples of 16 bytes.</param>
internal readonly record struct LinformerTraits(bool HasLengths, bool Vectors);

/// <summary>
/// The tiling that the Linformer projection kernels share: a group of four warps owns 64 × 64 results, a warp 32 × 32 of them, and operands pass
/// through 64 × 64 tiles, the next pair's copy under way while one is computed on.
/// </summary>
internal static class LinformerTile
{
    /// <summary>Rows and columns of a tile.</summary>
    public const int Side = 64;

    /// <summary>Threads of a group.</summary>
    public const int Threads = 128;

    /// <summary>The first row of this warp's results.</summary>
    public static int WarpRow => (Warp.Index >> 1) * 32;

    /// <summary>The first column of this warp's results.</summary>
    public static int WarpColumn => (Warp.Index & 1) * 32;

    /// <summary>1/√n, the factor of a sample's projection; 0 for an empty sample.</summary>
    public static float Factor(int length) => length > 0 ? 1 / MathF.Sqrt(length) : 0;

    /// <summary>sum += factor · part, or sum = factor · part.</summary>
    public static void Add(ref Registers<Float4, Times<N2, N4>> sum, ref Registers<Float4, Times<N2, N4>> part, float factor)
    {
        for (int i = 0; i < 8; i++)
        {
            Float4 s = sum[i], p = part[i];
            sum[i] = new Float4(GpuMath.Fma(p.X, factor, s.X), GpuMath.Fma(p.Y, factor, s.Y), GpuMath.Fma(p.Z, factor, s.Z), GpuMath.Fma(p.W, factor, s.W));
        }
    }
}
