namespace LinearCald.Gpu.Driver;

/// <summary>A function loaded on a device.</summary>
internal sealed class CudaFunction
{
    /// <summary>The driver's handle.</summary>
    public required nint Handle { get; init; }

    /// <summary>For messages.</summary>
    public required string Name { get; init; }

    /// <summary>Shared memory that each launch asks for.</summary>
    public required int DynamicSharedBytes { get; init; }

    /// <summary>Where the parameters lie in the packed arguments of a launch, in order.</summary>
    public required int[] Offsets { get; init; }

    /// <summary>What the assembler made of it.</summary>
    public required KernelStatistics Statistics { get; init; }
}
