namespace LinearCald.Gpu.Driver;

/// <summary>What the driver's assembler made of a kernel.</summary>
public sealed record KernelStatistics
{
    /// <summary>The kernel's name.</summary>
    public required string Name { get; init; }

    /// <summary>Threads of a group.</summary>
    public required Index3 Group { get; init; }

    /// <summary>Registers of a thread.</summary>
    public required int Registers { get; init; }

    /// <summary>Local memory of a thread in bytes: spilled registers and arrays with run-time indices. 0 in a kernel that is meant to be fast.</summary>
    public required int LocalBytes { get; init; }

    /// <summary>Shared memory of a group in bytes.</summary>
    public required int SharedBytes { get; init; }

    /// <summary>Threads that a group can have at most, given the registers.</summary>
    public required int MaximumThreads { get; init; }

    /// <summary>Groups that fit on one multiprocessor together.</summary>
    public required int GroupsPerMultiprocessor { get; init; }

    /// <summary>Whether the machine code came from the disk cache.</summary>
    public required bool FromCache { get; init; }

    /// <summary>Milliseconds from C# method to PTX.</summary>
    public required double CompileMilliseconds { get; init; }

    /// <summary>Milliseconds from PTX to loaded function.</summary>
    public required double LoadMilliseconds { get; init; }
}
