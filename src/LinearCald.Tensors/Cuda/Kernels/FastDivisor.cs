using System.Numerics;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Division of 31-bit numbers by a number that is fixed for a launch, as a product and a shift (Granlund and Montgomery 1994): GPUs have no
/// instruction for division.
/// </summary>
internal readonly struct FastDivisor
{
    private readonly uint _multiplier;
    private readonly int _shift;

    /// <param name="divisor">1 … 2³¹ − 1.</param>
    public FastDivisor(int divisor)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(divisor, 1);
        Divisor = divisor;
        _shift = divisor == 1 ? 0 : BitOperations.Log2((uint)divisor - 1) + 1;
        _multiplier = (uint)(((1UL << 32) * ((1UL << _shift) - (uint)divisor) / (uint)divisor) + 1);
    }

    /// <summary>What it divides by.</summary>
    public int Divisor { get; }

    /// <summary>⌊n / divisor⌋ for n ≥ 0.</summary>
    public int Divide(int n)
    {
        uint high = (uint)(((ulong)(uint)n * _multiplier) >> 32);
        return (int)((high + (uint)n) >> _shift);
    }
}
