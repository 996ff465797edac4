namespace LinearCald.Gpu;

/// <summary>What a device can do and hold.</summary>
public sealed record DeviceLimits
{
    /// <summary>Major · 10 + minor of the compute capability: 90 for Hopper.</summary>
    public int Capability { get; init; } = 90;

    /// <summary>Multiprocessors.</summary>
    public int Multiprocessors { get; init; } = 1;

    /// <summary>Threads of a group at most.</summary>
    public int GroupThreads { get; init; } = 1024;

    /// <summary>Shared memory of a group at most, in bytes, with opt-in.</summary>
    public int GroupSharedBytes { get; init; } = 232448;

    /// <summary>Bytes of the second-level cache.</summary>
    public long CacheBytes { get; init; }

    /// <summary>Bytes of device memory.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Highest clock of the multiprocessors in Hz; 0 when the device does not tell.</summary>
    public double ClockHertz { get; init; }
}
