using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LinearCald.Testing;

/// <summary>What the runtime of a child process may use of the processor; see <see cref="FeatureTestRunner"/>.</summary>
public enum SimdLevel
{
    /// <summary>Everything the machine has.</summary>
    Vector512,

    /// <summary>AVX-512 instructions are there, but the runtime prefers 256 bits: <c>Vector512.IsHardwareAccelerated</c> is false and <c>Avx512F.IsSupported</c> true.</summary>
    Vector512NotPreferred,

    /// <summary>AVX2 and FMA.</summary>
    Vector256,

    /// <summary>128-bit vectors and no FMA.</summary>
    Vector128,

    /// <summary>No hardware vectors at all.</summary>
    Scalar,
}

/// <summary>How a level is forced, and how a process sees which one it has. The variable names are those of .NET 10 (before it, <c>EnableAVX512</c> had an F at its end).</summary>
internal static class SimdLevels
{
    public static readonly string[] Variables = ["DOTNET_EnableAVX512", "DOTNET_EnableAVX2", "DOTNET_EnableHWIntrinsic", "DOTNET_PreferredVectorBitWidth"];

    /// <summary>The widest level of this process.</summary>
    public static SimdLevel Current =>
        Vector512.IsHardwareAccelerated ? SimdLevel.Vector512
        : Avx512F.IsSupported ? SimdLevel.Vector512NotPreferred
        : Vector256.IsHardwareAccelerated ? SimdLevel.Vector256
        : Vector128.IsHardwareAccelerated ? SimdLevel.Vector128
        : SimdLevel.Scalar;

    /// <summary>Whether this machine can be held to <paramref name="level"/>: it has the instructions, and the runtime can be told to leave out wider ones.</summary>
    public static bool IsPossible(SimdLevel level) => level switch
    {
        SimdLevel.Scalar => true,
        SimdLevel.Vector128 => Vector128.IsHardwareAccelerated,
        SimdLevel.Vector256 => Avx2.IsSupported,
        _ => Avx512F.IsSupported,
    };

    public static (string Name, string Value)? Variable(SimdLevel level) => level switch
    {
        SimdLevel.Vector512NotPreferred => (Variables[3], "256"),
        SimdLevel.Vector256 => (Variables[0], "0"),
        SimdLevel.Vector128 => (Variables[1], "0"),
        SimdLevel.Scalar => (Variables[2], "0"),
        _ => null,
    };
}
