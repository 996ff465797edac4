using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Everything about a product that its kernel is compiled for; each distinct value makes a kernel of its own.</summary>
/// <param name="Tile">Block of C and the warps that share it.</param>
/// <param name="TransposeA">A is stored [K][M].</param>
/// <param name="TransposeB">B is stored [N][K].</param>
/// <param name="WidthA">Bytes that may be copied at once from A: 16, 4, or 2; rows, row starts and extents are multiples of it.</param>
/// <param name="WidthB">The same for B.</param>
/// <param name="Output">What happens to the sums.</param>
internal readonly record struct GemmVariant(GemmTile Tile, bool TransposeA, bool TransposeB, int WidthA, int WidthB, GemmOutput Output);

/// <summary>What happens to the sums of a product.</summary>
/// <param name="Partial">They are one of several parts along k and go to the workspace as they are.</param>
/// <param name="Accumulate">C's old values are added.</param>
/// <param name="Bias">A row of N values is added.</param>
/// <param name="Pre">The argument of the activation is written too.</param>
/// <param name="Vector">Four neighbours of a row of C, bias and pre may be read and written at once.</param>
/// <param name="Activation">Applied last.</param>
internal readonly record struct GemmOutput(bool Partial, bool Accumulate, GemmBias Bias, bool Pre, bool Vector, Activation Activation);

/// <summary>Element type of a bias.</summary>
internal enum GemmBias : byte
{
    /// <summary>No bias.</summary>
    None,

    /// <summary>The type of C.</summary>
    Result,

    /// <summary>float32 beside a narrower C.</summary>
    Float32,
}
