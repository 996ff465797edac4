namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="DropoutMask{T}"/>.</summary>
internal static class DropoutReference
{
    /// <summary>0 or 1/(1 − p): the factor of one element.</summary>
    public static double Factor(double p, ulong seed, ulong stream, ulong element) =>
        Philox.Word(seed, stream, element) < p * 4294967296.0 ? 0 : 1 / (1 - p);
}
