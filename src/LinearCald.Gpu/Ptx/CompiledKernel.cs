namespace LinearCald.Gpu;

/// <summary>What a kernel became for one group size, one set of constants and one target.</summary>
public sealed class CompiledKernel
{
    /// <summary>The entry's name within <see cref="Ptx"/>.</summary>
    public required string Entry { get; init; }

    /// <summary>The module's text; the same for the same input, byte for byte.</summary>
    public required string Ptx { get; init; }

    /// <summary>The lowest target that has what the kernel uses, unless a higher one was asked for.</summary>
    public required PtxTarget Target { get; init; }

    /// <summary>Threads of a group.</summary>
    public required Index3 Group { get; init; }

    /// <summary>Shared memory that the launch must ask for, in bytes: all of it when it passes 48 KiB in sum, else 0.</summary>
    public required int DynamicSharedBytes { get; init; }

    /// <summary>All shared memory of a group, in bytes.</summary>
    public required int SharedBytes { get; init; }

    /// <summary>The parameters of the entry, in order: those of the method that are not constant.</summary>
    internal IReadOnlyList<KernelParameter> Parameters { get; init; } = [];

    /// <summary>IL instructions evaluated, a measure of the compiler's work.</summary>
    public required int Evaluated { get; init; }
}
