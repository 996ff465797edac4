using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Everything about a product that its kernel is compiled for; each distinct value makes a kernel of its own. Compiled kernels are found by these bytes, so
/// there is no padding between the fields: all are 32-bit.
/// </summary>
/// <param name="Tile">Block of C and the warps that share it.</param>
/// <param name="Storage">Which operands are stored transposed.</param>
/// <param name="WidthA">Bytes that may be copied at once from A: 16, 4, or 2; rows, row starts and extents are multiples of it.</param>
/// <param name="WidthB">The same for B.</param>
/// <param name="Output">What happens to the sums.</param>
internal readonly record struct GemmVariant(GemmTile Tile, GemmStorage Storage, int WidthA, int WidthB, GemmOutput Output)
{
    /// <summary>A is stored [K][M].</summary>
    public bool TransposeA => (Storage & GemmStorage.TransposedA) != 0;

    /// <summary>B is stored [N][K].</summary>
    public bool TransposeB => (Storage & GemmStorage.TransposedB) != 0;
}

/// <summary>What happens to the sums of a product; no padding, as in <see cref="GemmVariant"/>.</summary>
/// <param name="Activation">Applied last.</param>
/// <param name="Steps">What else.</param>
internal readonly record struct GemmOutput(Activation Activation, GemmSteps Steps)
{
    /// <summary>They are one of several parts along k and go to the workspace as they are.</summary>
    public bool Partial => (Steps & GemmSteps.Partial) != 0;

    /// <summary>C's old values are added.</summary>
    public bool Accumulate => (Steps & GemmSteps.Accumulate) != 0;

    /// <summary>A row of N values of C's type is added.</summary>
    public bool Bias => (Steps & GemmSteps.Bias) != 0;

    /// <summary>A row of N values of float32 is added.</summary>
    public bool Float32Bias => (Steps & GemmSteps.Float32Bias) != 0;

    /// <summary>The argument of the activation is written too.</summary>
    public bool Pre => (Steps & GemmSteps.Pre) != 0;

    /// <summary>The stack is one of stacks.</summary>
    public bool Nested => (Steps & GemmSteps.Nested) != 0;

    /// <summary>Warpgroups compute several products in one launch.</summary>
    public bool Stacked => (Steps & GemmSteps.Stacked) != 0;

    /// <summary>Operands are bfloat16 terms as <see cref="TermSplit"/> leaves them.</summary>
    public bool TwoTerms => (Steps & GemmSteps.TwoTerms) != 0;

    /// <summary>Four neighbours of a row of C, bias and pre may be read and written at once.</summary>
    public bool Vector => (Steps & GemmSteps.Vector) != 0;
}

/// <summary>How operands are stored.</summary>
[Flags]
internal enum GemmStorage
{
    /// <summary>A is [M][K], B is [K][N].</summary>
    Plain = 0,

    /// <summary>A is [K][M].</summary>
    TransposedA = 1,

    /// <summary>B is [N][K].</summary>
    TransposedB = 2,
}

/// <summary>See the members of <see cref="GemmOutput"/>.</summary>
[Flags]
internal enum GemmSteps
{
    /// <summary>Scaling only.</summary>
    None = 0,
    Partial = 1,
    Accumulate = 2,
    Bias = 4,
    Float32Bias = 8,
    Pre = 16,
    Vector = 32,
    Nested = 64,
    Stacked = 128,
    TwoTerms = 256,
}
