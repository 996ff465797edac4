namespace LinearCald.Gpu;

/// <summary>In which order the debug device runs the lanes of a group. Results of a correct kernel do not depend on it.</summary>
public enum LaneOrder
{
    /// <summary>Lane 0 first.</summary>
    Forward,

    /// <summary>The last lane first.</summary>
    Reverse,

    /// <summary>A permutation drawn from <see cref="DebugOptions.Seed"/>.</summary>
    Shuffled,
}

/// <summary>How a <see cref="DebugAccelerator"/> runs and what it checks.</summary>
public sealed record DebugOptions
{
    /// <summary>The order of lanes.</summary>
    public LaneOrder Order { get; init; } = LaneOrder.Forward;

    /// <summary>Seed of <see cref="LaneOrder.Shuffled"/>.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Fills memory with ones (NaN in every float format) when it is given out and when it is given back.</summary>
    public bool Poison { get; init; } = true;

    /// <summary>
    /// Requires the lanes of a warp to wait at the same barrier call, as the hardware does; costs one look at the stack for each wait. Without it only
    /// lanes that never meet are found.
    /// </summary>
    public bool CompareCallSites { get; init; } = true;

    /// <summary>What the device claims to have; group sizes and shared memory are checked against it.</summary>
    public DeviceLimits Limits { get; init; } = new() { MemoryBytes = 64L << 30 };
}
